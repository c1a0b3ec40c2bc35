/** Charts over time, by uPlot: no box, horizontal lines only, cursors in step. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ChartData } from '../model/series/chart-data.js';
import type { Span } from '../model/time/range.js';
import { timeSplits } from '../model/time/time-splits.js';
import { formatTime, type Zone } from '../model/time/times.js';
import { quantityOf } from '../model/values/numbers.js';
import type { Unit } from '../model/values/units.js';
import type { Colours } from './canvas.js';

export interface ChartOptions {
  width: number;
  height: number;
  span: Span;
  unit: Unit;
  zone: Zone;
  colours: Colours;
  /** Unix seconds, for the labels of times. */
  now: number;
  /** Pixels left of the plot, for the labels of values. */
  left: number;
  /** Charts of the same key move their cursors together. */
  sync: string | undefined;
  /** Position under the cursor; null: it has left. */
  onCursor(index: number | null): void;
  /** A span was dragged open. */
  onZoom(span: Span): void;
  /** The least that the axis of values reaches up to. */
  atLeast: number | undefined;
}

export interface Chart {
  setData(data: ChartData, span: Span): void;
  setSize(width: number, height: number): void;
  destroy(): void;
}

const FONT = '11px system-ui, sans-serif';

export function makeChart(target: HTMLElement, data: ChartData, options: ChartOptions): Chart {
  const { colours, zone, unit } = options;
  let { span } = options;
  const colourOf = (name: string): string => (name in colours ? colours[name as keyof Colours] : name);
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { size: 5 },
        drag: { x: true, y: false, setScale: false },
        ...(options.sync !== undefined && { sync: { key: options.sync } }),
      },
      scales: {
        x: { time: false, range: () => [span.from, span.to] },
        y: { range: (_, low, high) => valueRange(low, high, options.atLeast) },
      },
      axes: [
        {
          stroke: colours.soft,
          font: FONT,
          size: 20,
          gap: 2,
          ticks: { show: false },
          grid: { show: false },
          splits: (_, __, from, to) => timeSplits(from, to, options.width, zone),
          values: (_, times) => times.map((time) => formatTime(time, zone, options.now)),
        },
        {
          stroke: colours.soft,
          font: FONT,
          size: options.left,
          gap: 4,
          ticks: { show: false },
          grid: { stroke: colours.line, width: 1 },
          space: 28,
          values: (_, values) => values.map((value) => axisText(value, unit)),
        },
      ],
      series: [
        {},
        ...data.lines.map(({ label, colour, width, dashed }) => ({
          label,
          stroke: colourOf(colour),
          width,
          points: { show: false },
          spanGaps: false,
          ...(dashed && { dash: [4, 3] }),
        })),
      ],
      bands: data.lines.flatMap(({ bandTo, colour }, i) =>
        bandTo === undefined
          ? []
          : [{ series: [i + 1, bandTo + 1] as [number, number], fill: translucent(colourOf(colour)) }],
      ),
      hooks: {
        setCursor: [({ cursor }) => options.onCursor(cursor.idx ?? null)],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width < 4) return;
            const [from, to] = [chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x')];
            chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            options.onZoom({ from: Math.floor(from), to: Math.ceil(to) });
          },
        ],
      },
    },
    alignedData(data),
    target,
  );
  return {
    setData(next, nextSpan) {
      span = nextSpan;
      plot.setData(alignedData(next));
    },
    setSize: (width, height) => plot.setSize({ width, height }),
    destroy: () => plot.destroy(),
  };
}

function alignedData({ times, lines }: ChartData): uPlot.AlignedData {
  const withGaps = (values: ArrayLike<number>): (number | null)[] =>
    Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return [Array.from(times), ...lines.map(({ values }) => withGaps(values))];
}

/** From 0 where that is not far; a little air above. */
function valueRange(low: number | null, high: number | null, atLeast: number | undefined): [number, number] {
  if (low === null || high === null) return [0, atLeast ?? 1];
  const top = Math.max(high, atLeast ?? high);
  const bottom = low >= 0 && low < 0.6 * top ? 0 : low;
  if (top === bottom) return top === 0 ? [0, 1] : [Math.min(0, bottom), top + Math.abs(top) * 0.2];
  const air = (top - bottom) * 0.06;
  return [bottom === 0 ? 0 : bottom - air, top + air];
}

function axisText(value: number, unit: Unit): string {
  const { digits, unit: name } = quantityOf(value, unit);
  return value === 0 ? '0' : name.length > 4 ? `${digits} ${name.charAt(0)}` : `${digits} ${name}`.trim();
}

/** `rgb(1, 2, 3)` and `#010203`, as the theme and the palette have them. */
function translucent(colour: string): string {
  return colour.startsWith('#') ? `${colour}26` : colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.15)');
}
