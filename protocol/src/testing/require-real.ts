/**
 * For a test that needs a real program: true when it is there. Where it is not, the test is skipped with one line that
 * names what is missing; with REQUIRE_REAL=1, as in CI, it fails instead.
 */
export function requireReal(what: string, there: boolean): boolean {
  if (there) return true;
  if (process.env.REQUIRE_REAL === '1') throw new Error(`REQUIRE_REAL=1, but there is no ${what}`);
  console.warn(`skipped: no ${what} on this machine`);
  return false;
}
