export {};
//# sourceMappingURL=measurement.js.map