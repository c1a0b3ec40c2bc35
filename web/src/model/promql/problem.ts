/** Where in an expression the server found what is wrong with it. */

export interface Problem {
  text: string;
  /** 0-based offset in the expression; undefined: it is about the whole. */
  at: number | undefined;
}

/** @param message of the server: `invalid parameter "query": 1:12: parse error: ...`, columns in bytes, from 1 on. */
export function problemOf(message: string, expression: string): Problem {
  const match = /(?:^|\s)(\d+):(\d+): (.*)$/s.exec(message);
  if (match === null) return { text: message, at: undefined };
  const [line, column] = [Number(match[1]), Number(match[2])];
  const lines = expression.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const at = before + charactersOf(lines[line - 1] ?? '', column - 1);
  return { text: `${match[3]} (line ${line}, column ${column})`, at: Math.min(at, expression.length) };
}

/** How many UTF-16 units so many bytes of UTF-8 are. */
function charactersOf(text: string, bytes: number): number {
  let [units, left] = [0, bytes];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (left < 0) break;
    units += character.length;
  }
  return units;
}
