/** Whether tests may take their time (LONG_TESTS=true): they wait longer then, and some run only then. */
export const LONG_TESTS = process.env["LONG_TESTS"] === "true";
