/**
 * Times of the protocol's hot paths with the primitives that a node uses. Run from the repository's root:
 * `npx vite-node` is not needed, Node.js >= 22 strips the types; with Node.js 20 use `npx vitest bench packages/protocol/bench`.
 */
import { bench, describe } from 'vitest';
import { loadNodePrimitives } from '../../node/src/runtime/nodePrimitives.ts';
import {
  bytesToHex,
  createInternationalSuite,
  decodeTransaction,
  encodeHeader,
  decodeHeader,
  hexToBytes,
  recoverSender,
  signTransaction,
} from '../src/index.ts';
