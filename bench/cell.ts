/** A number in a table; a dash where there is none. */
export function cell(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

/** KiB as MiB in a table. */
export function mebibytesCell(kib: number | null): string {
  return cell(kib === null ? null : kib / 1024, 1);
}
