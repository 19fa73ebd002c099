// Whose folder paths are of: the user's where npm runs a script of the workspace, else the process's own.
import { expect, it } from 'vitest';
import { invokedFolder } from './invoked-folder.ts';

const BY_NPM = {
  INIT_CWD: '/tree/docs',
  npm_package_json: '/tree/package.json',
  npm_package_name: 'sgfree-workspace',
};

it.each([
  ['by a script of the workspace', BY_NPM, '/tree', '/tree/docs'],
  ['without npm', {}, '/tree', '/tree'],
  ['by a script of somebody else', { ...BY_NPM, npm_package_name: 'other' }, '/tree', '/tree'],
  ['by a script that went elsewhere first', BY_NPM, '/tree/apps', '/tree/apps'],
  ['by an npm that does not tell', { ...BY_NPM, INIT_CWD: '' }, '/tree', '/tree'],
])('%s', (_, env, current, folder) => {
  expect(invokedFolder(env, current)).toBe(folder);
});
