import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** For tests: an HTTP server on loopback that answers by path; what is not there is 404. */
export class StandInServer implements AsyncDisposable {
  readonly answers = new Map<string, unknown>();
  readonly seen: { url: string; authorization: string | undefined }[] = [];
  address = '';
  readonly #server = createServer(({ url = '', headers }, response) => {
    this.seen.push({ url, authorization: headers.authorization });
    const answer = this.answers.get(url);
    response.statusCode = answer === undefined ? 404 : 200;
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
