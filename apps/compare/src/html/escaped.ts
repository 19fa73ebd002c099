// Text for HTML and SVG.
// Source followed: the HTML standard, serialising text and attribute values.
// Simplified: attribute values always stand in double quotes.

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Text as it can stand between tags and in a quoted attribute. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
