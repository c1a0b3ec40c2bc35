import type { FieldMode, WriteOutcome } from '../store/store.js';

/** Lines of an error that are spelled out; the store may describe more. */
const SHOWN = 10;

/**
 * `2 of 5 lines refused: line 3: no host; line 4: bad value`.
 * @param fields 'all': what is stored are samples and not lines, so that "of 5" is left out.
 */
export function refusalText({ stored, skipped, refused, refusals }: WriteOutcome, fields: FieldMode = 'value'): string {
  const shown = refusals.slice(0, SHOWN);
  const reasons = shown.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ');
  const rest = refused > shown.length && shown.length > 0 ? `; and ${refused - shown.length} more` : '';
  const few = refused === 1 ? '1 line' : `${refused} lines`;
  const what = fields === 'all' ? few : `${refused} of ${stored + skipped + refused} lines`;
  return `${what} refused: ${reasons}${rest}`;
}
