const KIB = 1024;
const MIB = 1024 * KIB;
/** Small blocks at random places, larger ones in sequence; from waiting for each reply to many in flight. */
export const WORKLOADS = [
    { name: "read-4k-d1", pattern: "randread", blockSizeBytes: 4 * KIB, depth: 1 },
    { name: "read-4k-d16", pattern: "randread", blockSizeBytes: 4 * KIB, depth: 16 },
    { name: "read-4k-d64", pattern: "randread", blockSizeBytes: 4 * KIB, depth: 64 },
    { name: "write-4k-d1", pattern: "randwrite", blockSizeBytes: 4 * KIB, depth: 1 },
    { name: "write-4k-d16", pattern: "randwrite", blockSizeBytes: 4 * KIB, depth: 16 },
    { name: "read-128k-d16", pattern: "read", blockSizeBytes: 128 * KIB, depth: 16 },
    { name: "write-128k-d16", pattern: "write", blockSizeBytes: 128 * KIB, depth: 16 },
    { name: "read-1m-d4", pattern: "read", blockSizeBytes: MIB, depth: 4 },
    { name: "write-1m-d4", pattern: "write", blockSizeBytes: MIB, depth: 4 },
];
//# sourceMappingURL=workload.js.map