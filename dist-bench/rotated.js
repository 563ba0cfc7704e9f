/**
 * The order of play in one round: as given in round 0, and each round begins with the next one. Over as many rounds as
 * there are players each has had every place, so that what drifts during a round favours nobody.
 */
export function rotated(players, round) {
    const first = players.length === 0 ? 0 : round % players.length;
    return [...players.slice(first), ...players.slice(0, first)];
}
//# sourceMappingURL=rotated.js.map