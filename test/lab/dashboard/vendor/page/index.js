exports.html = (script) =>
  `<!doctype html><title>R3MES</title><script src="/_next/static/${script}" defer></script><main id="app"></main>\n`;
