/**
 * The request bodies, once: requests are checked against these schemas and the OpenAPI document is generated from them.
 * As in the reference, null means the same as leaving a key out, and unknown keys are ignored unless said otherwise.
 */

import * as v from 'valibot';

/** Go's int64; what a JSON number can hold beyond 2^53 is brought back to it. */
const INT64 = 2 ** 63;

const text = v.nullish(v.string());
const texts = v.nullish(v.array(v.nullable(v.string())));
const flag = v.nullish(v.boolean());
const integer = v.pipe(v.number(), v.integer(), v.minValue(-INT64), v.maxValue(INT64));

function described<const S extends v.GenericSchema>(schema: S, description: string) {
  return v.pipe(schema, v.description(description));
}

/** valibot takes an array for an object without members, so this looks before the object's schema does. */
function noArray<const S extends v.GenericSchema>(schema: S) {
  return v.pipe(
    v.unknown(),
    v.check((value) => !Array.isArray(value)),
    schema,
  );
}

/** Unknown keys are kept, for the hint on them (unknown-keys.ts). */
export const SeriesQuerySchema = noArray(
  v.looseObject({
    metric: described(text, 'name of the metric, as in the config'),
    host: described(text, 'hostname tag of the series'),
    type: described(text, 'level below the host, such as hwthread; absent: the whole host'),
    'type-ids': described(texts, 'ids of the level; without aggreg one entry of the answer an id'),
    subtype: described(text, 'second level below the host'),
    'subtype-ids': described(texts, 'ids of the second level'),
    aggreg: described(flag, 'one entry over all ids instead of one an id; default false'),
    resolution: described(v.nullish(integer), 'seconds between points; 0: as stored'),
    'scale-by': described(v.nullish(v.pipe(v.number(), v.finite())), 'factor for data and statistics; 0: none'),
  }),
);

export const QuerySchema = noArray(
  v.looseObject({
    cluster: described(text, 'cluster tag of the series'),
    from: described(v.nullish(integer), 'unix seconds'),
    to: described(v.nullish(integer), 'unix seconds, excluded'),
    queries: described(v.nullish(v.array(v.nullable(SeriesQuerySchema))), 'one list of the answer each'),
    'for-all-nodes': described(texts, 'metrics to be answered for every node of the cluster'),
    'with-stats': described(flag, 'avg, min and max; default true'),
    'with-data': described(flag, 'the samples; default true'),
    'with-padding': described(flag, 'nulls in front when the data starts after from; default true'),
  }),
);

export const HealthcheckSchema = noArray(
  v.strictObject({
    cluster: text,
    nodes: described(texts, 'hostnames'),
    'metric-names': described(texts, 'metrics that a healthy node has recent samples of'),
  }),
);

export const FreeSchema = v.array(
  described(v.array(v.string()), 'a selector: cluster, host, level, ...; everything below it'),
);

export type SeriesQueryBody = v.InferOutput<typeof SeriesQuerySchema>;
export type QueryBody = v.InferOutput<typeof QuerySchema>;
export type HealthcheckBody = v.InferOutput<typeof HealthcheckSchema>;
