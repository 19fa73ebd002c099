// Texts of machines that the tests of several packages read.

export { AER_LINE, acsBits, acsLines, expressLine, listingBlock } from './listing-lines.ts';
export { type PrintedFunction, type PrintedResource, renderLspci } from './lspci-rendering.ts';
export { sampleNcclXml, sampleShortListing, sampleTree } from './sample-texts.ts';
