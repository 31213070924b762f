import type { EChartsOption, SeriesOption } from 'echarts';
import { BarChart, CustomChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { type ResultColumn, type ResultTable, meetsTarget } from '../result-table.ts';
import { spreadOf } from '../statistics.ts';

use([BarChart, CustomChart, GridComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

const width = 900;
const namesWidth = 250;
const gap = 40;
const rowHeight = 26;
const headHeight = 40;
const footHeight = 36;
const colours = { bar: '#4c78a8', missed: '#e45756', reference: '#9db3c8', spread: '#222222', target: '#2a9d4a' };
/** Where values differ by more than this, a linear axis would show the large ones only. */
const linearRatioMax = 20;

/** Draws the plotted columns of a table side by side, bars of medians with their spreads and targets; null when there is nothing to draw. */
export function plotTable(table: ResultTable): string | null {
  const plotted = table.columns.map((column, index) => ({ column, index })).filter(({ column }) => column.isPlotted);
  if (plotted.length === 0 || table.rows.length === 0) {
    return null;
  }
  const height = headHeight + footHeight + rowHeight * table.rows.length;
  const plotWidth = (width - namesWidth - gap * plotted.length) / plotted.length;
  const left = (position: number): number => namesWidth + position * (plotWidth + gap);
  const option: EChartsOption = {
    animation: false,
    backgroundColor: '#ffffff',
    title: plotted.map(({ column }, position) => ({ text: column.name, left: left(position), top: 6, textStyle: { fontSize: 13 } })),
    grid: plotted.map((_, position) => ({ left: left(position), width: plotWidth, top: headHeight, bottom: footHeight })),
    xAxis: plotted.map(({ index }, position) => ({
      ...axisOf(table, index),
      gridIndex: position,
      splitNumber: 3,
      axisLabel: { fontSize: 11, hideOverlap: true },
    })),
    yAxis: plotted.map((_, position) => ({
      type: 'category',
      gridIndex: position,
      inverse: true,
      data: table.rows.map(({ name }) => name),
      axisTick: { show: false },
      axisLabel: { show: position === 0, fontSize: 12, width: namesWidth - 16, overflow: 'truncate' },
    })),
    series: plotted.flatMap(({ column, index }, position) => seriesOf(table, column, index, position)),
  };
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return `${withStableNames(svg)}\n`;
}

/** The library counts charts and styles through the process: a drawing would change with every other. */
function withStableNames(svg: string): string {
  const styles = new Map<string, string>();
  return svg
    .replaceAll(/zr\d+-cls-\d+/g, (name) => {
      const stable = styles.get(name) ?? `zr-cls-${styles.size}`;
      styles.set(name, stable);
      return stable;
    })
    .replaceAll(/zr\d+-/g, 'zr-');
}

function seriesOf(table: ResultTable, column: ResultColumn, index: number, position: number): SeriesOption[] {
  const axes = { xAxisIndex: position, yAxisIndex: position };
  const spreads = table.rows.map((row) => spreadOf(row.cells[index] ?? []));
  const colourOf = (row: ResultTable['rows'][number]): string => {
    if (row.isReference) {
      return colours.reference;
    }
    return meetsTarget(column, row, index) ? colours.bar : colours.missed;
  };
  return [
    {
      type: 'bar',
      ...axes,
      barWidth: '60%',
      data: table.rows.map((row, at) => ({ value: spreads[at]?.median ?? Number.NaN, itemStyle: { color: colourOf(row) } })),
      ...targetLine(column),
    },
    {
      type: 'custom',
      ...axes,
      silent: true,
      data: spreads.map(({ min, max }, at) => [min, at, max]),
      renderItem(_params, api) {
        const [fromX = 0, y = 0] = api.coord([api.value(0), api.value(1)]);
        const [toX = 0] = api.coord([api.value(2), api.value(1)]);
        return { type: 'line', shape: { x1: fromX, y1: y, x2: toX, y2: y }, style: { stroke: colours.spread, lineWidth: 1.5 } };
      },
    },
  ];
}

function targetLine({ target }: ResultColumn): { markLine?: object } {
  if (!target) {
    return {};
  }
  const at = 'atMost' in target ? target.atMost : target.atLeast;
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      label: { show: false },
      lineStyle: { color: colours.target, type: 'dashed', width: 1.5 },
      data: [{ xAxis: at }],
    },
  };
}

/** A logarithmic axis begins at the power of ten below its values, and so do its bars. */
function axisOf({ rows }: ResultTable, index: number): { type: 'value' } | { type: 'log'; min: number; startValue: number } {
  const values = rows.flatMap((row) => row.cells[index] ?? []);
  const least = Math.min(...values);
  if (values.length === 0 || least <= 0 || Math.max(...values) / least <= linearRatioMax) {
    return { type: 'value' };
  }
  const from = 10 ** Math.floor(Math.log10(least));
  return { type: 'log', min: from, startValue: from };
}
