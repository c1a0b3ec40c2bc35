import type { WriteOutcome } from '../store/store.js';

/** Lines of an error that are spelled out; the store may describe more. */
const SHOWN = 10;

/** `2 of 5 lines refused: line 3: no host; line 4: bad value`. */
export function refusalText({ stored, skipped, refused, refusals }: WriteOutcome): string {
  const shown = refusals.slice(0, SHOWN);
  const reasons = shown.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ');
  const rest = refused > shown.length && shown.length > 0 ? `; and ${refused - shown.length} more` : '';
  return `${refused} of ${stored + skipped + refused} lines refused: ${reasons}${rest}`;
}
