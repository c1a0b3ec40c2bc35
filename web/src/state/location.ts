/**
 * What is looked at, as the page's address has it: a copied link, a reload, back and forward give the same view.
 *
 *     ?view=matrix&cluster=alex&metric=cpu_load&range=4h
 *
 * Members at their defaults are left out. What an old or mistyped link has too much or wrong is ignored.
 */

import { VIEWS, type View } from '../model/page/views.js';
import type { Order } from '../model/series/order.js';
import type { Pixel } from '../model/series/resample.js';
import { DEFAULT_RANGE, parseRange, type Range, rangeText } from '../model/time/range.js';

export interface Place {
  view: View;
  /** Empty: the first that the server names. */
  cluster: string;
  /** Empty: the view chooses. */
  metric: string;
  range: Range;
  /** The node of the view `node`. */
  node: string;
  /** The nodes of the view `nodes`, as Slurm writes lists. */
  nodes: string;
  /** A tile's value: the newest, or the mean of the last minutes. */
  value: 'newest' | 'mean';
  /** Tiles in groups by name, or in one block. */
  groups: 'names' | 'none';
  /** Rows of the matrix. */
  sort: Order;
  /** What a pixel of the matrix shows of the samples it covers. */
  pixel: Pixel;
  /** Limits of a colour scale, in the metric's unit: `0-72`; empty: the data's. */
  scale: string;
  /** The metric whose chart is large in the view `node`. */
  large: string;
  /** Expressions of the view `explore`. */
  expr: string[];
  /** How `explore` shows the answer. */
  as: 'graph' | 'table' | 'raw';
}

export const START: Readonly<Place> = {
  view: 'overview',
  cluster: '',
  metric: '',
  range: DEFAULT_RANGE,
  node: '',
  nodes: '',
  value: 'newest',
  groups: 'names',
  sort: 'name',
  pixel: 'max',
  scale: '',
  large: '',
  expr: [],
  as: 'graph',
};

/** Members with few values: anything else is ignored. */
const CHOICES = {
  view: VIEWS,
  value: ['newest', 'mean'],
  groups: ['names', 'none'],
  sort: ['name', 'value', 'likeness'],
  pixel: ['max', 'mean'],
  as: ['graph', 'table', 'raw'],
} as const satisfies { [K in keyof Place]?: readonly Place[K][] };

const TEXTS = ['cluster', 'metric', 'node', 'nodes', 'scale', 'large'] as const;

/** @param search `location.search`. */
export function parsePlace(search: string): Place {
  const given = new URLSearchParams(search);
  const place: Place = { ...START };
  const choices: Partial<Record<keyof Place, string>> = {};
  for (const [name, values] of Object.entries(CHOICES)) {
    const value = given.get(name);
    if (value !== null && (values as readonly string[]).includes(value)) choices[name as keyof typeof CHOICES] = value;
  }
  Object.assign(place, choices);
  for (const name of TEXTS) place[name] = given.get(name) ?? START[name];
  place.range = parseRange(given.get('range') ?? '') ?? START.range;
  place.expr = given.getAll('expr').filter((text) => text !== '');
  return place;
}

/** The address of a place: `?…`, or `?` alone for the start, which a link needs to leave the present one. */
export function placeSearch(place: Place): string {
  const out = new URLSearchParams();
  for (const name of [...Object.keys(CHOICES), ...TEXTS] as (keyof typeof CHOICES | (typeof TEXTS)[number])[]) {
    if (place[name] !== START[name]) out.set(name, place[name]);
  }
  const range = rangeText(place.range);
  if (range !== rangeText(START.range)) out.set('range', range);
  for (const text of place.expr) out.append('expr', text);
  return `?${out}`;
}
