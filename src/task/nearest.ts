/** Number of single-character edits (insert, delete, replace, swap neighbours) between two words. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + cost,
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (before[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The candidates a person may have meant by `name`, nearest first, at most `limit`: those within a third of its length
 * in edits, or that contain it or are contained in it. A candidate equal to `name` is not one.
 */
export function nearest(name: string, candidates: readonly string[], limit = 3): readonly string[] {
  const wanted = name.toLowerCase();
  return candidates
    .map((candidate) => {
      const other = candidate.toLowerCase();
      const distance = editDistance(wanted, other);
      const contained = wanted.length >= 3 && (other.includes(wanted) || wanted.includes(other));
      return { candidate, distance: contained ? Math.min(distance, 1) : distance };
    })
    .filter(({ distance }) => distance > 0 && distance <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** ` Did you mean a, b or c?`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const names = nearest(name, candidates);
  if (names.length === 0) return '';
  const last = names[names.length - 1] ?? '';
  const list = names.length === 1 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
  return ` Did you mean ${list}?`;
}
