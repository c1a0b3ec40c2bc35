import { describe, expect, it } from 'vitest';
import { listenAddress, parseAddress } from '../../src/config/address.js';

describe('parseAddress', () => {
  it.each([
    ['localhost:8080', 'localhost', 8080],
    [':8080', '', 8080],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['127.0.0.1:', '127.0.0.1', 0],
    ['[::1]:8080', '::1', 8080],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['cc-store.example.org:443', 'cc-store.example.org', 443],
    ['0.0.0.0:65535', '0.0.0.0', 65535],
  ])('reads %s', (text, host, port) => expect(parseAddress(text)).toEqual({ host, port }));

  it.each([
    '',
    'localhost',
    '8080',
    '::1:8080',
    '[::1]',
    '[::1:80',
    'h:65536',
    'h:-1',
    'h:8o',
    'http://h:80',
    'a b:80',
    'h:80/x',
  ])('refuses %j', (text) => expect(parseAddress(text)).toBeUndefined());
});

describe('listenAddress', () => {
  it.each([
    ['', undefined],
    ['localhost', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ])('binds %j to %s', async (host, address) => expect(await listenAddress(host)).toBe(address));

  it('rejects a name that nobody knows', async () => {
    await expect(listenAddress('no-such-host.invalid')).rejects.toThrow(/no-such-host\.invalid/);
  });
});
