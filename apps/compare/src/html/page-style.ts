// The style sheet of the page: light and dark by the reader's wish, one column on a phone, readable on paper.
// Source followed: none.
// Simplified: system fonts, since nothing may be fetched.

/** The whole sheet. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#16202c;--soft:#566273;--line:#dde2e9;--main:#2563c9;--own:#c2681a;--third:#7b8794;--bad:#b3261e;--good:#1a7f4b;--good-ground:#e3f4ea;--bad-ground:#fbe6e4;--code:#eef1f5}
@media (prefers-color-scheme:dark){:root{--page:#10151c;--card:#182029;--ink:#e8edf3;--soft:#a0acba;--line:#2c3744;--main:#6ea3f7;--own:#eda05c;--third:#8492a3;--bad:#ff8a80;--good:#6fd39b;--good-ground:#15301f;--bad-ground:#3a1a18;--code:#222c37}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main,header,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:44px;padding-bottom:8px}
h1{font-size:clamp(1.7rem,4.5vw,2.6rem);line-height:1.15;letter-spacing:-.02em;margin:0 0 10px}
h2{font-size:1.35rem;letter-spacing:-.01em;margin:52px 0 6px}
h3{font-size:1.05rem;margin:0}
p{margin:6px 0;max-width:76ch}
.lead{font-size:1.1rem;color:var(--soft)}
.soft,figcaption,.notes{color:var(--soft);font-size:.92rem}
.notes{padding-left:1.2em;max-width:96ch}
.verdict{display:inline-block;margin:14px 0 0;padding:7px 14px;border-radius:8px;font-weight:600;background:var(--good-ground);color:var(--good)}
.verdict.failed{background:var(--bad-ground);color:var(--bad)}
code{font:.88em ui-monospace,"SF Mono","DejaVu Sans Mono",Menlo,monospace;background:var(--code);padding:.08em .3em;border-radius:4px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px;margin:26px 0 0}
.tile,figure,.ledger,.road,.stages>li{background:var(--card);border:1px solid var(--line);border-radius:12px}
.tile{padding:16px 18px}
.tile b{display:block;font-size:1.65rem;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.92rem}
.stages{list-style:none;margin:14px 0 0;padding:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:12px}
.stages>li{padding:10px 14px;display:flex;gap:12px;align-items:baseline}
.stages b{font-size:1.2rem;color:var(--main);min-width:1ch}
.stages ul{list-style:none;margin:8px 0 0;padding:0;font-size:.9rem}
.stages ul li{margin:5px 0;color:var(--ink)!important}
.stages small{color:var(--soft);overflow-wrap:anywhere}
.stages i{font-style:normal;font-size:.78rem;font-weight:600;padding:1px 7px;border-radius:9px;background:var(--code);color:var(--soft)}
.stages [data-state=merged] i{background:var(--good-ground);color:var(--good)}
.stages [data-state=RFC] i{color:var(--own)}
.stages .state{white-space:nowrap;color:var(--soft);font-size:.85rem}
figure{margin:16px 0 0;padding:18px 20px;display:grid;grid-template-columns:minmax(0,1.35fr) minmax(0,1fr);gap:6px 34px;align-items:start}
figcaption{grid-column:1/-1}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--ink);font-size:13px;text-anchor:middle;font-variant-numeric:tabular-nums}
svg .label,svg .none{fill:var(--soft)}
svg .side{text-anchor:start}
svg .value{font-weight:600;font-size:12.5px}
.axis{stroke:var(--soft)}.grid{stroke:var(--line)}
rect.main{fill:var(--main)}rect.own{fill:var(--own)}rect.third{fill:var(--third)}rect.bad{fill:var(--bad)}
.dot{fill:var(--own);fill-opacity:.55;stroke:var(--own)}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;margin:12px 0 0;padding:0;list-style:none;font-size:.92rem;color:var(--soft)}
.key i{display:inline-block;width:.8em;height:.8em;border-radius:3px;margin-right:.45em;background:var(--main)}
.key .own{background:var(--own)}.key .third{background:var(--third)}.key .bad{background:var(--bad)}
table{border-collapse:collapse;font-size:.88rem;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:4px 10px 4px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
tr:last-child>*{border-bottom:0}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:500}
.number{text-align:right;padding-right:0;padding-left:12px;white-space:nowrap}
.scroll{overflow-x:auto}
.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--main);outline-offset:2px}
.road{margin-top:14px;padding:8px 18px}
.road td,.road th{min-width:92px}
.road tbody th{position:sticky;left:0;background:var(--card);min-width:176px;z-index:1}
.road .api td{font-size:.82rem;color:var(--soft);text-align:right;white-space:normal}
.road tr.zero td:last-child{color:var(--good);font-weight:700}
.ledger{margin-top:10px;padding:0 18px}
summary{cursor:pointer;padding:11px 0}
summary span{color:var(--soft);font-size:.9rem}
.gone,[data-state=removed]{color:var(--bad)!important}
[data-state=deprecated]{color:var(--own)}[data-state=added]{color:var(--good)}[data-state=kept],[data-state=yes]{color:var(--soft)}
.ledger th code{word-break:break-word}
footer{padding-top:40px;padding-bottom:48px;color:var(--soft);font-size:.9rem}
@media (max-width:760px){figure{grid-template-columns:minmax(0,1fr);padding:14px}main,header,footer{padding-left:14px;padding-right:14px}header{padding-top:26px}.road tbody th{min-width:128px}svg text{font-size:16px}svg .value{font-size:15px}}
@media print{.ledger{break-inside:avoid}body{background:#fff}}
`;
