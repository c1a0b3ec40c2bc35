/**
 * Colours of lines that are told apart by name: eight that people who see no red or green tell apart (Okabe and Ito 2008);
 * the one that is like the page's own blue last.
 */
const LINES = ['#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#b8a800', '#7f7f7f', '#0072b2'];

/** Again from the first after the last. */
export function lineColour(i: number): string {
  return LINES[i % LINES.length] ?? '';
}
