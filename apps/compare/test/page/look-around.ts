// LookAround: the program that runs in the page and tells what is to be seen there.
// Source followed: none.
// Simplified: text, since what runs in the page is no part of this program and knows other globals.

/** What the page looks like; names of charts and texts where something is amiss. */
export interface Seen {
  /** Brightness of the ground, 0 to 255. */
  readonly ground: number;
  readonly charts: number;
  readonly badCharts: readonly string[];
  readonly chartsWithoutTable: readonly string[];
  readonly roadColumns: number;
  readonly ledgers: number;
  /** Pixels that the content is wide. */
  readonly width: number;
  /** Texts that do not stand out. */
  readonly faint: readonly string[];
}

/** An expression whose value is a {@link Seen}. */
export const LOOK_AROUND = `(() => {
  const bright = (colour) => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\\d.]+/g) ?? []).map(Number);
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const charts = all('svg');
  const name = (chart) => chart.getAttribute('aria-label') ?? 'without a name';
  const isBad = (chart) => {
    const { width, height } = chart.getBoundingClientRect();
    const marks = [...chart.querySelectorAll('rect, circle')].filter((mark) => {
      const box = mark.getBoundingClientRect();
      return box.width > 1 && box.height > 1;
    });
    return width < 100 || height < 60 || marks.length === 0
      || chart.getAttribute('role') !== 'img' || !chart.hasAttribute('aria-label');
  };
  const ground = bright(getComputedStyle(document.body).backgroundColor);
  const inkOf = (element) => {
    const style = getComputedStyle(element);
    return bright(element instanceof SVGElement ? style.fill : style.color);
  };
  return {
    ground,
    charts: charts.length,
    badCharts: charts.filter(isBad).map(name),
    chartsWithoutTable: charts.filter((chart) => !chart.closest('figure')?.querySelector('table td')).map(name),
    roadColumns: all('.road thead th').length,
    ledgers: all('.ledger').length,
    width: document.documentElement.scrollWidth,
    faint: all('h1, h2, h3, p, td, th, svg text')
      .filter((element) => Math.abs(inkOf(element) - ground) < 60)
      .map((element) => element.textContent ?? ''),
  };
})()`;
