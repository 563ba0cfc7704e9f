export {};
//# sourceMappingURL=contender.js.map