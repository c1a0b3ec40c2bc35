/** Queries made at random, of what both servers know: seeded, so that every run asks the same. */

import { seeded } from '../../support/random.js';

type Random = () => number;

function pick<T>(random: Random, from: readonly T[]): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

const matchers = [
  '',
  '',
  'cluster="alex"',
  'cluster!="alex"',
  'hostname=~"an.*"',
  'hostname=~"(an1|fn2)"',
  'hostname!~".*3"',
  'cluster=~".+",hostname!="an1"',
  'type=~"n.*|h.*|s.*"',
];
const levels: Record<string, readonly string[]> = {
  flops_any: ['type_id="1"', 'type_id=~"[0-2]"', 'type_id!="3"', 'type="hwthread"'],
  temp: ['type_id="0"', 'type="socket"'],
};
const metrics = ['cpu_load', 'mem_used', 'flops_any', 'net_bytes_total', 'job_count', 'temp'] as const;
const groupings = ['hostname', 'cluster', 'type', 'cluster, hostname', 'type_id', 'hostname, type_id', 'nothing', ''];
/** Seconds that are multiples of 5. */
const ranges = ['5m', '10m', '7m30s', '25m', '1h', '2m5s', '4m'];

class Generator {
  constructor(private readonly random: Random) {}

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private selector(modifiers: string): string {
    const metric = pick(this.random, metrics);
    const own = levels[metric];
    const parts = [pick(this.random, matchers)];
    if (own !== undefined && this.chance(0.5)) parts.push(pick(this.random, own));
    const text = parts.filter((part) => part !== '').join(',');
    if (this.chance(0.05)) return `{__name__=~"cpu_load|mem_used"${text === '' ? '' : `,${text}`}}${modifiers}`;
    return `${metric}${text === '' ? '' : `{${text}}`}${modifiers}`;
  }

  private shift(): string {
    if (this.chance(0.15)) return ` offset ${pick(this.random, ['5m', '35s', '-10m', '1h'])}`;
    if (this.chance(0.05)) return ` @ ${pick(this.random, ['start()', 'end()'])}`;
    return '';
  }

  private windowed(): string {
    const range = pick(this.random, ranges);
    const simple = 'avg min max sum count last present stddev stdvar'.split(' ').map((name) => `${name}_over_time`);
    const names = [...simple, 'delta', 'idelta', 'changes', 'deriv'];
    if (this.chance(0.2)) {
      const name = pick(this.random, ['rate', 'increase', 'irate', 'resets']);
      return `${name}(net_bytes_total[${range}]${this.shift()})`;
    }
    if (this.chance(0.1))
      return `quantile_over_time(${pick(this.random, ['0', '0.3', '0.95', '1'])}, ${this.selector(`[${range}]`)})`;
    if (this.chance(0.1)) return `predict_linear(${this.selector(`[${range}]`)}, ${pick(this.random, ['600', '-60'])})`;
    if (this.chance(0.15)) {
      const inner = this.chance(0.5) ? this.selector('') : this.aggregate(1);
      return `${pick(this.random, simple)}((${inner})[${pick(this.random, ['5m3s', '10m3s', '20m3s'])}:${pick(this.random, ['1m', '90s', '2m'])}])`;
    }
    return `${pick(this.random, names)}(${this.selector(`[${range}]`)}${this.shift()})`;
  }

  private leaf(): string {
    return this.chance(0.5) ? this.selector(this.shift()) : this.windowed();
  }

  private aggregate(depth: number): string {
    const grouping = pick(this.random, groupings);
    const by = this.chance(0.8) ? `${pick(this.random, ['by', 'without'])} (${grouping}) ` : '';
    const inner = depth <= 1 ? this.leaf() : this.vector(depth - 1);
    if (this.chance(0.1)) return `quantile ${by}(${pick(this.random, ['0.5', '0.9', '1'])}, ${inner})`;
    // Ties are broken by chance: only values that are all different may be ranked.
    if (this.chance(0.1))
      return `${pick(this.random, ['topk', 'bottomk'])} ${by}(${pick(this.random, ['1', '3'])}, sum_over_time(flops_any[1h]))`;
    // The deviation of one NaN is 0 in 2.42; selectors and windows have none.
    if (depth <= 1 && this.chance(0.2)) return `${pick(this.random, ['stddev', 'stdvar'])} ${by}(${inner})`;
    return `${pick(this.random, ['sum', 'avg', 'min', 'max', 'count', 'group'])} ${by}(${inner})`;
  }

  private scalar(): string {
    return pick(this.random, ['2', '0.5', '-3', '100', 'time() / 1e9', 'scalar(sum(cpu_load))', 'pi()', '(1 + 2)']);
  }

  private binary(depth: number): string {
    const arithmetic = ['+', '-', '*', '/'];
    const comparison = ['>', '<', '>=', '<=', '!=', '> bool', '<= bool'];
    if (this.chance(0.4)) {
      const operator = pick(this.random, [...arithmetic, '%', '^', ...comparison]);
      const [left, right] = this.chance(0.7)
        ? [this.vector(depth - 1), this.scalar()]
        : [this.scalar(), this.vector(depth - 1)];
      return `(${left}) ${operator} (${right})`;
    }
    if (this.chance(0.35)) {
      const operator = pick(this.random, ['and', 'or', 'unless']);
      const on = this.chance(0.5) ? ` ${pick(this.random, ['on', 'ignoring'])} (${pick(this.random, groupings)})` : '';
      return `(${this.vector(depth - 1)}) ${operator}${on} (${this.vector(depth - 1)})`;
    }
    const operator = pick(this.random, [...arithmetic, ...comparison]);
    const style = this.random();
    if (style < 0.3) return `(${this.vector(depth - 1)}) ${operator} (${this.vector(depth - 1)})`;
    if (style < 0.6) {
      return `(${this.leaf()}) ${operator} on (cluster, hostname) group_left (sum by (cluster, hostname) (${this.leaf()}))`;
    }
    return `(sum by (hostname) (${this.leaf()})) ${operator} on (hostname) (max by (hostname) (${this.leaf()}))`;
  }

  private call(depth: number): string {
    const inner = this.vector(depth - 1);
    return pick(this.random, [
      () =>
        `${pick(this.random, ['abs', 'ceil', 'floor', 'sqrt', 'exp', 'ln', 'log2', 'log10', 'sgn', 'deg', 'rad'])}(${inner})`,
      () => `${pick(this.random, ['sin', 'cos', 'atan', 'tanh', 'asinh'])}(${inner})`,
      () => `round(${inner}, ${pick(this.random, ['1', '5', '0.25'])})`,
      () => `clamp(${inner}, 10, 100)`,
      () => `clamp_min(${inner}, 50)`,
      () => `clamp_max(${inner}, 50)`,
      () => `-(${inner})`,
      () => `label_replace(${inner}, "x", "$1-y", "hostname", "(.)n.*")`,
      () => `label_join(${inner}, "j", "/", "cluster", "hostname")`,
      () => `absent(${inner})`,
      () => `vector(scalar(${inner}))`,
      () => `timestamp(${inner})`,
      () => `hour(${inner})`,
      () => `day_of_week((${this.leaf()}) * 86400)`,
      () => `histogram_quantile(0.9, label_replace(${inner}, "le", "$1", "type_id", "(.)"))`,
    ])();
  }

  vector(depth: number): string {
    if (depth <= 0) return this.leaf();
    const choice = this.random();
    if (choice < 0.3) return this.leaf();
    if (choice < 0.6) return this.aggregate(depth);
    return choice < 0.8 ? this.binary(depth) : this.call(depth);
  }
}

export function generateQueries(count: number, seed: number): string[] {
  const random = seeded(seed);
  const generator = new Generator(random);
  return Array.from({ length: count }, () => generator.vector(3));
}
