// Writes schema/compare.schema.json anew: `npm run schema:update` in this folder.
// Source followed: `compareJsonSchema`.
// Simplified: none.

import { writeFileSync } from 'node:fs';
import { compareJsonSchema } from './compare-schema.ts';

writeFileSync(new URL('../../schema/compare.schema.json', import.meta.url), compareJsonSchema());
