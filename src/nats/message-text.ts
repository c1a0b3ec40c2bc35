/** Messages as text that others are put behind. */

const LF = 10; // '\n'
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** A copy that ends with a newline. */
export function withNewline(data: Uint8Array): Uint8Array {
  const hasNewline = data.length === 0 || data[data.length - 1] === LF;
  const text = new Uint8Array(data.length + (hasNewline ? 0 : 1));
  text.set(data);
  if (!hasNewline) text[data.length] = LF;
  return text;
}

/** Whether a quoted field value of the message is never closed: newlines count inside of it, so nothing may follow. */
export function endsInString(data: Uint8Array): boolean {
  let open = false;
  for (let at = data.indexOf(QUOTE); at >= 0; at = data.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (data[at - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) open = !open;
  }
  return open;
}
