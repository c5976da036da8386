/**
 * The look of every page: light, dark (on a screen that asks for it) and A4. The policy of a page lets in this text and no
 * style attribute, so what has a size of its own is SVG.
 */
export const style = `
:root {
  --paper: #ffffff; --ink: #1b1f24; --muted: #57606a; --line: #d8dee4; --wash: #f6f8fa; --accent: #0a5ca8;
  --error: #b42318; --error-wash: #fdeeec; --warning: #855000; --warning-wash: #fdf3e0;
  --note: #1a5e9c; --note-wash: #e9f3fc; --good: #1a6e3c; --good-wash: #e8f6ed;
  --bar: #7aa7d6; --dot: #8b949e;
}
@media screen { :root { color-scheme: light dark } }
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --ink: #e6e9ed; --muted: #a2acb8; --line: #343c46; --wash: #1c2229; --accent: #7ab8f5;
    --error: #ff9087; --error-wash: #3a1d1b; --warning: #f0b75f; --warning-wash: #35280f;
    --note: #85bdf6; --note-wash: #172a3d; --good: #7fd39d; --good-wash: #16301f;
    --bar: #4f81b5; --dot: #8b949e;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body {
  margin: 0 auto; max-width: 72rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; break-after: avoid }
h1 { font-size: 2rem; letter-spacing: -.015em; margin: 0 0 .5rem }
h2 { font-size: 1.375rem; letter-spacing: -.01em; margin: 0 0 .75rem }
h3 { font-size: 1.0625rem; margin: 1.75rem 0 .75rem }
h4, .cards h3 { font-size: 1rem; margin: 0 }
p { margin: 0 0 .75rem; max-width: 46rem }
a { color: var(--accent); text-underline-offset: .15em }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
code, pre { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
bdi { unicode-bidi: isolate }
header { border-bottom: 2px solid var(--ink); padding-bottom: 1.25rem }
header .lead { font-size: 1.1875rem; max-width: 44rem }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .25rem 1.5rem; margin: 1rem 0 0; font-size: .875rem }
.facts div { display: flex; flex-direction: column }
.facts dt { color: var(--muted) }
.facts dd { margin: 0; font-variant-numeric: tabular-nums }
nav { margin: 1rem 0 0; font-size: .9375rem }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0; padding: 0 }
section { margin-top: 3rem; scroll-margin-top: 1rem }
.muted, .fine { color: var(--muted) }
.fine { font-size: .875rem; font-weight: 400 }
.nowrap { white-space: nowrap }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .75rem; margin: 0; padding: 0; list-style: none }
.tiles li { border: 1px solid var(--line); border-radius: .5rem; padding: .875rem 1rem; background: var(--wash); break-inside: avoid }
.tiles .figure { display: block; font-size: 1.875rem; font-weight: 650; line-height: 1.15; letter-spacing: -.02em; font-variant-numeric: tabular-nums }
.tiles .what { display: block; font-weight: 600; font-size: .9375rem }
.tiles .fine { display: block }
.tiles .error { border-color: var(--error); background: var(--error-wash) }
.tiles .warning { border-color: var(--warning); background: var(--warning-wash) }
.tiles .note { border-color: var(--note); background: var(--note-wash) }
.tiles .good { border-color: var(--good); background: var(--good-wash) }
.tiles .error .figure { color: var(--error) } .tiles .warning .figure { color: var(--warning) }
.tiles .note .figure { color: var(--note) } .tiles .good .figure { color: var(--good) }
.tiles .error .fine, .tiles .warning .fine, .tiles .note .fine, .tiles .good .fine { color: var(--ink) }
.badge { display: inline-block; border-radius: 1rem; padding: .05rem .6rem; font-size: .8125rem; font-weight: 600; white-space: nowrap; border: 1px solid var(--line); background: var(--wash) }
.badge.error { color: var(--error); background: var(--error-wash); border-color: var(--error) }
.badge.warning { color: var(--warning); background: var(--warning-wash); border-color: var(--warning) }
.badge.note { color: var(--note); background: var(--note-wash); border-color: var(--note) }
.badge.good { color: var(--good); background: var(--good-wash); border-color: var(--good) }
.wide { overflow-x: auto; max-width: 100% }
table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--muted); padding-bottom: .5rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line) }
thead th { border-bottom-color: var(--ink); font-weight: 600; white-space: nowrap }
tbody th { font-weight: 600; min-width: 8rem }
td { min-width: 4.5rem }
th.number, td.number { text-align: right; white-space: nowrap }
td code, th code { white-space: nowrap }
td ul { margin: 0; padding-left: 1rem }
table.of-rule { margin: 0 0 1.25rem; border-left: 4px solid var(--line) }
table.of-rule :is(caption, th, td):first-child { padding-left: .75rem }
table.of-rule caption { color: var(--ink); font-weight: 600; padding-left: .75rem; border-left: 4px solid var(--line) }
table.of-rule.error, table.of-rule.error caption { border-left-color: var(--error) }
table.of-rule.warning, table.of-rule.warning caption { border-left-color: var(--warning) }
table.of-rule.note, table.of-rule.note caption { border-left-color: var(--note) }
table.of-rule .command { margin: 0; padding: .25rem .5rem; min-width: 14rem }
td ul.plain { list-style: none; padding: 0 } ul.plain li { display: inline }
ul.plain li + li::before { content: " · "; color: var(--muted) }
.finding { border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: .375rem; padding: .875rem 1rem; margin: 0 0 .75rem; break-inside: avoid }
.finding.error { border-left-color: var(--error) } .finding.warning { border-left-color: var(--warning) } .finding.note { border-left-color: var(--note) }
.finding p { margin: .375rem 0 0; max-width: none }
.finding .message { font-size: 1.0625rem }
.finding .head { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline }
.evidence { display: flex; flex-wrap: wrap; gap: .125rem 1.25rem; margin: .5rem 0 0; font-size: .875rem }
.evidence div { display: flex; flex-wrap: wrap; gap: 0 .375rem }
.evidence dt { color: var(--muted) } .evidence dt::after { content: ":" }
.evidence dd { margin: 0 }
.command { margin-top: .625rem; border-radius: .375rem; background: var(--wash); border: 1px solid var(--line); padding: .5rem .75rem }
.wide + p { margin-top: .75rem }
figure { margin: 1rem 0 }
figcaption { color: var(--muted); font-size: .875rem; max-width: 46rem; margin-top: .5rem }
svg { display: block; max-width: 100%; height: auto }
svg text { fill: var(--muted); font-size: 12px; font-family: inherit }
svg .label { fill: var(--ink) }
figure .chart svg { min-width: 40rem; width: 100% }
svg .axis { stroke: var(--line) } svg .limit { stroke: var(--muted); stroke-dasharray: 3 3 }
svg .bar { fill: var(--bar) } svg .failed, svg .dot.error { fill: var(--error) }
svg .dot { fill: var(--dot); fill-opacity: .85; stroke: var(--paper); stroke-width: 1 }
svg .dot.warning { fill: var(--warning) } svg .dot.note { fill: var(--note) }
svg .dot.error { fill: var(--error) } svg .zone { fill: var(--wash) }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem }
.legend li { display: flex; align-items: center; gap: .4rem }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .75rem; margin: 0; padding: 0; list-style: none }
.cards li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem .875rem; break-inside: avoid; min-width: 0 }
.cards svg { width: 100%; margin: .5rem 0 .375rem }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--muted); font-size: .875rem }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 2.5rem }
  h1 { font-size: 1.625rem }
  .tiles { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)) }
}
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #57606a } }
@media print {
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  html { font-size: 9.5pt }
  body { max-width: none; padding: 0; line-height: 1.45 }
  nav { display: none }
  section { margin-top: 9mm }
  section.sheet { break-before: page; margin-top: 0 }
  h2, h3, h4, caption, section > p:first-of-type { break-after: avoid }
  tr, figure, pre { break-inside: avoid }
  tbody tr:first-child { break-before: avoid; break-after: avoid }
  tbody tr:last-child { break-before: avoid }
  table.of-rule .command { min-width: 0 }
  table { break-inside: auto }
  thead { display: table-header-group }
  .wide { overflow: visible }
  figure .chart svg { min-width: 0 }
  td code, th code { white-space: normal }
  .tiles { grid-template-columns: repeat(5, 1fr) }
  .facts { grid-template-columns: repeat(4, 1fr) }
  .cards { grid-template-columns: repeat(3, 1fr) }
  p { break-inside: avoid }
}
`
