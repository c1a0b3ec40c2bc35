/**
 * Third stage of reading: columns -> binary parts, for those who go on computing with them. A part is one column, or a piece of
 * a long one: all parts of a column follow each other, and no other column comes in between. Everything is little-endian and
 * 8-aligned from the start of the output, so that the host makes a `Float64Array` of the values without copying them.
 *
 *   part     0       4       8       12      16      20      24      28      32
 *            ┌───────┬───────┬───────┬───────┬───────┬───────┬───────┬───────┬──────────┬─────┐
 *            │ bytes │ error │ query │ entry │ count │ first │ here  │ names │ rolledUp │ pad │    u32 each
 *            └───────┴───────┴───────┴───────┴───────┴───────┴───────┴───────┴──────────┴─────┘
 *            40      48      56      64        72      80      88
 *            ┌───────┬───────┬───────┬─────────┬───────┬───────┬──────────┐
 *            │ from  │ to    │ step  │ samples │ sum   │ least │ greatest │    f64 each
 *            └───────┴───────┴───────┴─────────┴───────┴───────┴──────────┘
 *            96
 *            ┌──────────────────────────────────┬───────────────────┐
 *            │ names, filled up to a multiple   │ `here` values,    │    names as in series/names.ts, in the first part of a
 *            │ of 8 bytes                       │ f64               │    column; NaN = missing
 *            └──────────────────────────────────┴───────────────────┘
 *   bytes    of the part            error      `QueryError`; from and to are its two numbers then, and there is nothing else
 *   query    index of the query     entry      index among the entries that the query asks for; those without series are left out
 *   count    values of the column   first      index of the first value here
 *   here     values in this part    names      bytes of the names of the level that was asked for; 0: they came before
 *   rolledUp 1 in the first part of a column whose level has no series of its own
 *   from, to unix seconds           step       seconds between values
 *   samples  values that are not missing, and their sum, the least and the greatest, if statistics were asked for; else 0
 *
 * Padding is not written: `from` says when a column begins.
 */
import { AnswerParts, AnswerStep } from '../../src/wasm/tables/codes';
import { ColumnPart } from '../../src/wasm/tables/layouts';
import { out } from '../memory/out';
import { Node } from '../series/records';
import { writeNames } from '../series/names';
import { selection } from '../read/select';
import { Answer, Next, STEP_ENTRIES } from './answer';

/** Most bytes of names: five levels of 255, and what they are filled up with. */
const NAMES_MAX: u32 = 5 * 256 + 16;
/** Fewest values of a part that does not end its column. */
const LEAST_VALUES: i32 = 64;

@unmanaged
class Part {
  bytes: u32;
  error: u32;
  query: u32;
  entry: u32;
  count: u32;
  first: u32;
  here: u32;
  names: u32;
  rolledUp: u32;
  from: f64;
  to: f64;
  step: f64;
  samples: f64;
  sum: f64;
  least: f64;
  greatest: f64;
}

if (
  offsetof<Part>('bytes') != ColumnPart.Bytes ||
  offsetof<Part>('error') != ColumnPart.Error ||
  offsetof<Part>('query') != ColumnPart.Query ||
  offsetof<Part>('entry') != ColumnPart.Entry ||
  offsetof<Part>('count') != ColumnPart.Count ||
  offsetof<Part>('first') != ColumnPart.First ||
  offsetof<Part>('here') != ColumnPart.Here ||
  offsetof<Part>('names') != ColumnPart.Names ||
  offsetof<Part>('rolledUp') != ColumnPart.RolledUp ||
  offsetof<Part>('from') != ColumnPart.From ||
  offsetof<Part>('to') != ColumnPart.To ||
  offsetof<Part>('step') != ColumnPart.Step ||
  offsetof<Part>('samples') != ColumnPart.Samples ||
  offsetof<Part>('sum') != ColumnPart.Sum ||
  offsetof<Part>('least') != ColumnPart.Least ||
  offsetof<Part>('greatest') != ColumnPart.Greatest ||
  offsetof<Part>() != ColumnPart.Header
) {
  ERROR('layouts.ts has another layout of columns');
}

/**
 * Writes parts until the output holds about `budget` bytes or all queries are answered. @param answer of `queryBegin`.
 */
export function columnsStep(answer: Answer, budget: u32): AnswerStep {
  answer.resume();
  let looked = 0;
  while (true) {
    while (answer.isWriting) {
      if (out.length >= budget) return AnswerStep.More;
      if (!writePart(answer, budget, null)) return AnswerStep.OutOfMemory;
    }
    if (!answer.queriesLeft) return AnswerStep.Done;
    if (out.length >= budget || looked++ == STEP_ENTRIES) return AnswerStep.More;
    const next = answer.next();
    if (next == Next.Failed) return AnswerStep.OutOfMemory;
    if (next == Next.Entry) {
      answer.written = 0;
      if (!writePart(answer, budget, answer.column.error ? null : selection.node)) return AnswerStep.OutOfMemory;
    }
  }
}

/** Writes the next part of the column at hand. @param node whose names it has; null: none. False when memory is exhausted. */
function writePart(answer: Answer, budget: u32, node: Node | null): bool {
  const column = answer.column;
  const first = <i32>answer.written;
  const left = answer.request.has(AnswerParts.Data) ? column.count - first : 0;
  const room = <i32>(max(budget, out.length) - out.length) >> 3;
  if (left && !answer.have(first)) return false;
  const here = min(min(left, column.heldFrom(first)), max(room, LEAST_VALUES));
  if (!out.ensure(<u32>offsetof<Part>() + NAMES_MAX + (<u32>here << 3))) return false;
  const part = changetype<Part>(out.end);
  memory.fill(out.end, 0, offsetof<Part>());
  part.query = answer.queryIndex;
  part.entry = answer.entriesSeen - 1;
  part.error = column.error;
  part.count = column.count;
  part.first = first;
  part.here = here;
  part.from = <f64>(column.error ? column.given : column.from);
  part.to = <f64>(column.error ? column.limit : column.to);
  if (!column.error) {
    part.step = <f64>column.step;
    if (answer.request.has(AnswerParts.Stats)) {
      part.samples = <f64>column.samples;
      part.sum = column.sum;
      part.least = column.least;
      part.greatest = column.greatest;
    }
  }
  let end = out.end + offsetof<Part>();
  if (node) {
    part.rolledUp = u32(selection.series(0).node != node);
    const namesEnd = writeNames(end, node);
    part.names = <u32>(namesEnd - end);
    store<u64>(namesEnd, 0);
    end = (namesEnd + 7) & ~7;
  }
  if (here) memory.copy(end, column.at(first), <usize>here << 3);
  end += <usize>here << 3;
  part.bytes = <u32>(end - out.end);
  out.end = end;
  answer.written += here;
  answer.isWriting = here < left;
  return true;
}
