// As `next start`: serves what was built, from the folder that it was started in.
const { createServer } = require('node:http');
const { readFileSync } = require('node:fs');
const { basename } = require('node:path');

createServer(({ url }, response) => {
  try {
    const file = url === '/' ? '.next/index.html' : `.next/static/${basename(url)}`;
    response.end(readFileSync(file));
  } catch {
    response.statusCode = 404;
    response.end();
  }
}).listen(Number(process.env.PORT), '127.0.0.1');
