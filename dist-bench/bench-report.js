export {};
//# sourceMappingURL=bench-report.js.map