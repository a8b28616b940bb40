'use strict';
// Two places where rocketmq-client-nodejs 1.0.8 cannot be bundled as it is: a native CRC-32, which node:zlib has, and its
// own package.json, which it reads from disk at start.
const { readFileSync } = require('node:fs');
const { version } = require('rocketmq-client-nodejs/package.json');

const CRC32 = "exports.crc32 = require('node:zlib').crc32;";

module.exports = [
  {
    name: 'rocketmq-client-nodejs',
    setup(build) {
      build.onResolve({ filter: /^@node-rs\/crc32$/ }, () => ({ path: 'crc32', namespace: 'node-zlib' }));
      build.onLoad({ filter: /.*/, namespace: 'node-zlib' }, () => ({ contents: CRC32, loader: 'js' }));
      build.onLoad(
        { filter: /rocketmq-client-nodejs[\\/]dist[\\/]client[\\/]UserAgent\.js$/ },
        ({ path }) => ({
          contents: withoutPackageJson(readFileSync(path, 'utf8')),
          loader: 'js',
        }),
      );
    },
  },
];

function withoutPackageJson(source) {
  const changed = source.replace(
    /JSON\.parse\(\(0, node_fs_1\.readFileSync\)[^;]*;/,
    `${JSON.stringify(version)};`,
  );
  if (changed === source) throw new Error('rocketmq-client-nodejs reads its package.json in another way now');
  return changed;
}
