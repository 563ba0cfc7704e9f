import { nbdshBefore } from "./nbdsh.ts";

/** What the metadata contexts are that a client asks for; the last one nobody has. */
const CONTEXTS = ["base:allocation", "qemu:allocation-depth", "x-nobody:knows"];

/**
 * Every call of libnbd that a server has a part in: with every set of command flags, also those that make no sense; in
 * and out of bounds, aligned and not. Errors come with their words, and with those of the server.
 */
const SCRIPT = `
import errno, hashlib, itertools

contexts = ${JSON.stringify(CONTEXTS)}
for name in contexts: h.add_meta_context(name)
h.set_strict_mode(0)
said = []
def listen(context, message):
    if "server message" in message: said.append(message)
h.set_debug_callback(listen)
h.set_debug(True)
h.connect_uri(uri)

M = 1024 * 1024
size = h.get_size()
block = max(4096, h.get_block_size(nbd.SIZE_MINIMUM))
# What the server takes at once; more is another test's matter.
most = h.get_block_size(nbd.SIZE_MAXIMUM) or size

def show(name, call):
    said.clear()
    try:
        result = call()
    except nbd.Error as error:
        result = errno.errorcode.get(error.errnum, error.errnum) + ", " + error.string
    print(name + ":", "done" if result is None else result, *said)

def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]

def read(length, offset, flags=0):
    return digest(h.pread(length, offset, flags))

def chunks(length, offset, flags=0):
    found = []
    def chunk(data, at, status, error):
        kind = {nbd.READ_DATA: "data", nbd.READ_HOLE: "hole", nbd.READ_ERROR: "error"}[status]
        found.append("%s %d+%d" % (kind, at, len(data)))
    data = h.pread_structured(length, offset, chunk, flags)
    assert not flags & nbd.CMD_FLAG_DF or len(found) <= 1, found
    return "; ".join(found + [digest(data)])

def status(length, offset, flags=0):
    found = {}
    def extents(context, at, entries, error):
        found[context] = "%d %s" % (at, entries)
    h.block_status(length, offset, extents, flags)
    return "; ".join("%s from %s" % one for one in sorted(found.items()))

CALLS = {
    "pread": read,
    "pread_structured": chunks,
    "block_status": status,
    "cache": lambda length, offset, flags: h.cache(length, offset, flags),
    "pwrite": lambda length, offset, flags: h.pwrite(bytes([flags % 251 + 1]) * length, offset, flags),
    "zero": lambda length, offset, flags: h.zero(length, offset, flags),
    "trim": lambda length, offset, flags: h.trim(length, offset, flags),
    "flush": lambda length, offset, flags: h.flush(flags),
}

print("size", size, "contexts", [name for name in contexts if h.can_meta_context(name)])
for which in ("MINIMUM", "PREFERRED", "MAXIMUM"):
    print("block", which, h.get_block_size(getattr(nbd, "SIZE_" + which)))
for name in ("cache", "df", "fast_zero", "flush", "fua", "multi_conn", "trim", "zero"):
    print("can", name, getattr(h, "can_" + name)())
print("read only", h.is_read_only(), "rotational", h.is_rotational(), h.get_protocol(), h.get_structured_replies_negotiated())

for offset in range(0, size, M):
    show("read %d" % offset, lambda: read(M, offset))
    show("chunks %d" % offset, lambda: chunks(M, offset))
    show("status %d" % offset, lambda: status(M, offset))
    show("one status %d" % offset, lambda: status(M, offset, nbd.CMD_FLAG_REQ_ONE))
show("as much as may be", lambda: read(min(size, most), 0))
show("as many chunks", lambda: chunks(min(size, most), 0))
show("all status", lambda: status(size, 0))
show("chunks across", lambda: chunks(min(3 * M, most), M // 2))
show("chunks across, DF", lambda: chunks(min(3 * M, most), M // 2, nbd.CMD_FLAG_DF))
show("a hole, DF", lambda: chunks(64 * 1024, 2 * M, nbd.CMD_FLAG_DF))
show("two blocks", lambda: chunks(2 * block, M - block))
show("status across", lambda: status(5 * M, M // 2))

known = [1, 2, 4, 8, 16]
sets = [sum(some) for count in range(6) for some in itertools.combinations(known, count)] + [32, 1 << 15]
# nbdkit 1.32 aborts when it gets a FAST_ZERO that it does not offer.
if not h.can_fast_zero(): sets = [flags for flags in sets if not flags & 16]
at = 10 * M
for flags in sets:
    for name, call in CALLS.items():
        show("%s with flags %#x" % (name, flags), lambda: call(2 * block, at, flags))
        if name in ("pwrite", "zero", "trim"):
            for offset in (at, at + block): show("then", lambda: read(block, offset))
    # The next one has a cluster of its own: what is around data in one is up to the file system.
    at += 64 * 1024

places = [
    ("beyond the end", size - block, 2 * block), ("behind the end", size, block),
    ("far away", 1 << 62, block), ("where nothing can be", (1 << 63) - block, block),
    ("of nothing", 0, 0), ("of nothing at the end", size, 0),
    ("unaligned", 1, block), ("of an odd length", 0, block + 1), ("of a byte", 3, 1),
]
for where, offset, length in places:
    for name, call in CALLS.items():
        if name != "flush": show("%s %s" % (name, where), lambda: call(length, offset, 0))
for offset in range(0, size, M): show("at last %d" % offset, lambda: read(M, offset))
# Zeros that take room look like data once they are read, on some file systems.
h.zero(at - 10 * M, 10 * M)
show("all status, at last", lambda: status(size, 0))
h.flush()
h.shutdown()
`;

/** Runs all of that on an export; returns what came of it, a line for each. */
export function everyCall(uri: string): Promise<string> {
  return nbdshBefore(uri, SCRIPT);
}
