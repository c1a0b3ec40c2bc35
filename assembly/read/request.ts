/**
 * What cc-backend asks, as src/wasm/request.ts encodes it: a header, then queries. Each query asks for one entry, or, by ids
 * that are not aggregated, for one a combination of ids.
 *
 *   query    0        1                 9              17
 *            ┌────────┬─────────────────┬──────────────┬──────────┬────────┬──────────┬──────┬─────────┬──────────┐
 *            │ u8 bits│ resolution, i64 │ factor, f64  │ metric   │ host   │ type     │ ids  │ subtype │ sub-ids  │
 *            └────────┴─────────────────┴──────────────┴──────────┴────────┴──────────┴──────┴─────────┴──────────┘
 *     bits: `QueryBits`     names: `Name`, ids: `Names` (memory/name.ts)
 */
import { AnswerParts, QueryBits } from '../../src/wasm/tables/codes';
import { Name, Names } from '../memory/name';

/**
 *   0            8          16      20        24
 *   ┌────────────┬──────────┬───────┬─────────┬──────────────────────────┬────────────┐
 *   │ from, i64  │ to, i64  │ parts │ queries │ cluster: `Name`          │ query, ... │
 *   └────────────┴──────────┴───────┴─────────┴──────────────────────────┴────────────┘
 */
@unmanaged
export class Request {
  /** Unix seconds. */
  from: i64;
  to: i64;
  /** What an entry has to have: bits of `AnswerParts`. */
  parts: u32;
  /** Number of queries. */
  queries: u32;

  get cluster(): Name {
    return changetype<Name>(changetype<usize>(this) + offsetof<Request>());
  }
  /** Address of the first query. */
  get first(): usize {
    return this.cluster.end;
  }
  has(part: AnswerParts): bool {
    return (this.parts & <u32>part) != 0;
  }
}

/** A query's fields, which refer to the request's bytes. */
@unmanaged
export class Query {
  /** Seconds between the values asked for; 0: as they are. */
  resolution: i64;
  /** What values are multiplied by; 0: nothing. */
  factor: f64;
  private bits: i32;
  metric: Name;
  host: Name;
  type: Name;
  ids: Names;
  subtype: Name;
  subIds: Names;
  /** Address behind the query. */
  end: usize;

  /** Reads the query at p. */
  read(p: usize): void {
    this.bits = <i32>load<u8>(p);
    this.resolution = load<i64>(p, 1);
    this.factor = load<f64>(p, 9);
    this.metric = changetype<Name>(p + 17);
    this.host = this.metric.next;
    this.type = this.host.next;
    this.ids = changetype<Names>(this.type.end);
    this.subtype = changetype<Name>(this.ids.end);
    this.subIds = changetype<Names>(this.subtype.end);
    this.end = this.subIds.end;
  }

  get hasType(): bool {
    return (this.bits & QueryBits.HasType) != 0;
  }
  get hasSubtype(): bool {
    return (this.bits & QueryBits.HasSubtype) != 0;
  }
  /** Whether each combination of ids is an entry of its own. */
  get isById(): bool {
    return (this.bits & (QueryBits.HasType | QueryBits.Aggregate)) == QueryBits.HasType;
  }
  /** Entries that it asks for, found or not; the host bounds their number. */
  get entries(): i32 {
    if (!this.isById) return 1;
    return this.ids.count * (this.hasSubtype ? this.subIds.count : 1);
  }
}
