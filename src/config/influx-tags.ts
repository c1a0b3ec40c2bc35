/**
 * How tags of InfluxDB's writers become levels (configuration: `influx.tags`): the defaults, which are made for Telegraf's
 * usual inputs, and what a configuration makes of them. docs/telegraf.md tells administrators.
 */

/** What a configuration says of a tag; null: it is ignored. */
export interface TagSetting {
  type?: string | undefined;
  cut?: string | undefined;
  node?: string | undefined;
  unless?: string[] | undefined;
}

export interface TagRule {
  tag: string;
  /** Type of the level that the tag makes; empty: it is ignored. */
  type: string;
  /** What its values begin with, and the level's id does not; a value that doesn't is refused. */
  cut: string;
  /** The value that means the node itself; empty: none does. */
  node: string;
  /** Tags beside which this one is ignored. */
  unless: string[];
}

/** Rules that the core has room for. */
export const MAX_TAG_RULES = 64;
/** Tags of ClusterCockpit's own protocol: no table can change what they mean. */
export const OWN_TAGS: ReadonlySet<string> = new Set([
  'cluster',
  'hostname',
  'host',
  'type',
  'type-id',
  'stype',
  'stype-id',
]);

/** In the order in which they make level and sublevel. */
const DEFAULTS: Record<string, TagSetting | null> = {
  cpu: { type: 'hwthread', cut: 'cpu', node: 'cpu-total' },
  interface: { node: 'all' },
  path: {},
  device: { unless: ['path'] },
  port: {},
  index: { type: 'accelerator' },
  uuid: { type: 'accelerator', unless: ['index'] },
  name: { unless: ['index', 'uuid'] },
  chip: {},
  feature: {},
  sensor: {},
  // What only describes: the unit of cc-metric-collector's lines, file systems of disk, disks of diskio, GPUs of nvidia_smi.
  unit: null,
  fstype: null,
  mode: null,
  label: null,
  serial: null,
  wwid: null,
  arch: null,
  compute_mode: null,
  pstate: null,
};

/** The rules of a configuration: its tags, in their order, then the defaults that it does not name. */
export function tagRules(settings: Readonly<Record<string, TagSetting | null>> = {}): TagRule[] {
  const all = { ...settings, ...Object.fromEntries(Object.entries(DEFAULTS).filter(([tag]) => !(tag in settings))) };
  return Object.entries(all).map(([tag, setting]) => ({
    tag,
    type: setting === null ? '' : (setting.type ?? tag),
    cut: setting?.cut ?? '',
    node: setting?.node ?? '',
    unless: setting?.unless ?? [],
  }));
}

/** What is wrong with the settings, by tag and key; empty: nothing. */
export function tagProblems(settings: Readonly<Record<string, TagSetting | null>>): [path: string[], what: string][] {
  const rules = tagRules(settings);
  const known = new Set(rules.map(({ tag }) => tag));
  const problems: [string[], string][] = [];
  if (rules.length > MAX_TAG_RULES) {
    problems.push([[], `expected at most ${MAX_TAG_RULES} tags with the defaults, found ${rules.length}`]);
  }
  for (const { tag, type, cut, node, unless } of rules) {
    if (OWN_TAGS.has(tag)) problems.push([[tag], "is a tag of ClusterCockpit's protocol, which no table changes"]);
    for (const text of [tag, type, cut, node]) {
      if (Buffer.byteLength(text) > 100) problems.push([[tag], 'expected names of at most 100 bytes']);
    }
    if (!isLevelType(type))
      problems.push([[tag, 'type'], 'expected text without "/", "\\", ".." and control characters']);
    for (const other of unless) {
      if (!known.has(other)) problems.push([[tag, 'unless'], `names ${JSON.stringify(other)}, which has no rule`]);
    }
  }
  return problems;
}

function isLevelType(type: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[/\\\u0000-\u001f\u007f]|\.\./.test(type);
}
