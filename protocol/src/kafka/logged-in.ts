import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

/** Far above what the client counts up to from 0 on each connection. */
const FIRST_ID = 0x5b000000;
const ANSWER_WITHIN_MS = 10_000;

export interface KafkaRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly body: Buffer;
}

/**
 * The connections that a client opens, for the few questions that kafkajs does not know: TLS and login stay its work.
 * To the client our answers are ones that nobody waits for, and it drops them.
 */
export class LoggedIn {
  readonly #sockets = new Set<Socket>();
  #nextId = FIRST_ID;

  readonly socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl ? connectTls({ host, port, ...name, ...ssl }, onConnect) : connect({ host, port }, onConnect);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  };

  /** What a broker answers, without the header. @throws when none is connected, or it does not answer in time */
  ask({ apiKey, apiVersion, body }: KafkaRequest): Promise<Buffer> {
    const [socket] = this.#sockets;
    if (!socket) return Promise.reject(new Error('no broker is connected'));
    const id = this.#nextId++;
    const header = Buffer.alloc(10);
    header.writeInt16BE(apiKey, 0);
    header.writeInt16BE(apiVersion, 2);
    header.writeInt32BE(id, 4);
    header.writeInt16BE(-1, 8);
    const size = Buffer.alloc(4);
    size.writeInt32BE(header.length + body.length);
    const answer = answerTo(socket, id);
    socket.write(Buffer.concat([size, header, body]));
    return answer;
  }
}

/** Nothing else is under way on the connection when we begin to listen, so what comes first begins with a frame. */
function answerTo(socket: Socket, id: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.off('data', read).off('close', closed);
      settle();
    };
    const closed = () => end(() => reject(new Error('the broker closed the connection')));
    const timer = setTimeout(() => end(() => reject(new Error('no answer in time'))), ANSWER_WITHIN_MS);
    const read = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      while (seen.length >= 8 && seen.length >= 4 + seen.readInt32BE(0)) {
        const [frame, rest] = [seen.subarray(4, 4 + seen.readInt32BE(0)), seen.subarray(4 + seen.readInt32BE(0))];
        if (frame.readInt32BE(0) === id) return end(() => resolve(frame.subarray(4)));
        seen = rest;
      }
      return undefined;
    };
    socket.on('data', read).once('close', closed);
  });
}
