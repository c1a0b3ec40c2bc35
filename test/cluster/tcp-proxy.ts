/**
 * A TCP connection that tests can cut: everything that passes, both ways, ends, and nothing comes through until it is mended. Or
 * one that stops where the test wants it to: in front of an answer, or in the middle of it.
 */

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../support/ports.js';

/** Where connections stop. */
interface Hold {
  /** What whoever connects sends over one that is to stop. */
  request: string;
  /** So much of what comes back passes. */
  bytes: number;
  reached(): void;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #passing = new Set<Passing>();
  #target: number;
  #isCut = false;
  #hold: Hold | undefined;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#pass(near));
  }

  /** @param port to listen on; default: a free one. */
  static async start(target: number, port?: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(port ?? (await freePort()), '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  set target(port: number) {
    this.#target = port;
  }

  #pass(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const passing = new Passing(near, connect(this.#target, '127.0.0.1'), () => this.#passing.delete(passing));
    this.#passing.add(passing);
    // Looked at before it is passed on: no answer is faster.
    near.prependListener('data', (chunk: Buffer) => {
      if (this.#hold && chunk.includes(this.#hold.request)) passing.stopAfter(this.#hold.bytes, this.#hold.reached);
    });
  }

  /**
   * Stops each connection over which this text is sent: so many bytes of what comes back pass, then nothing. Resolves when the
   * first one stands.
   */
  hold(request: string, bytes = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#hold = { request, bytes, reached: resolve };
    });
  }

  /** No further connection stops; those that do go on. */
  letGo(): void {
    this.#hold = undefined;
    for (const passing of this.#passing) passing.goOn();
  }

  /** As `letGo`, but what they have kept back is lost, as if whoever has sent it had died before. */
  lose(): void {
    this.#hold = undefined;
    for (const passing of this.#passing) if (passing.isHeld) passing.end();
  }

  cut(): void {
    this.#isCut = true;
    for (const passing of this.#passing) passing.end();
  }

  mend(): void {
    this.#isCut = false;
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }
}

/** One connection on its way. */
class Passing {
  readonly #near: Socket;
  readonly #far: Socket;
  /** Bytes that may still come back; undefined: all. */
  #left: number | undefined;
  #kept: Buffer[] = [];
  #reached = (): void => {};

  constructor(near: Socket, far: Socket, ended: () => void) {
    this.#near = near;
    this.#far = far;
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        this.end();
        ended();
      });
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => this.#back(chunk));
    far.on('end', () => near.end());
    near.on('drain', () => {
      if (this.#left !== 0) far.resume();
    });
  }

  get isHeld(): boolean {
    return this.#left !== undefined;
  }

  #back(chunk: Buffer): void {
    const passes = chunk.subarray(0, this.#left);
    if (passes.length < chunk.length) this.#kept.push(chunk.subarray(passes.length));
    if (passes.length && !this.#near.write(passes)) this.#far.pause();
    if (this.#left === undefined) return;
    this.#left -= passes.length;
    if (this.#left === 0) this.#stand();
  }

  #stand(): void {
    this.#far.pause();
    this.#reached();
  }

  stopAfter(bytes: number, reached: () => void): void {
    if (this.isHeld) return;
    this.#left = bytes;
    this.#reached = reached;
    if (bytes === 0) this.#stand();
  }

  goOn(): void {
    if (!this.isHeld) return;
    this.#left = undefined;
    for (const chunk of this.#kept.splice(0)) this.#near.write(chunk);
    this.#far.resume();
  }

  end(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}
