// Stage 8 as a run: a card's memory shared by range lists; nothing here knows a table.

export { runRangeListExchange } from './gpu-exchange/range-list-exchange.ts';
