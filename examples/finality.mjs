import { readFileSync } from 'node:fs';
import {
  createInternationalSuite,
  genesisValidatorSet,
  parseGenesis,
  portablePrimitives,
  verifyFinality,
} from '@hanse/protocol';
import { createHanseClient } from '@hanse/sdk';

const folder = process.env.HANSE_DATA ?? '.hanse';
const network = JSON.parse(readFileSync(`${folder}/network.json`, 'utf8'));
const client = await createHanseClient({ rpcUrl: network.members[0].rpcUrl });

// What a member says ...
const block = await client.publicClient.getBlock();
const proof = await client.finality(block.number);
console.log(
  `block ${block.number} of ${block.transactions.length} transactions: certified by ${proof.signers.join(', ')}`,
);

// ... and what anybody can check who knows the genesis, without trusting that member.
const suite = createInternationalSuite(portablePrimitives);
const validators = genesisValidatorSet(parseGenesis(JSON.parse(readFileSync(`${folder}/genesis.json`, 'utf8'))));
const { hash } = verifyFinality(suite, network.genesisHash, validators, proof);
console.log(hash === block.hash ? `the proof is good: ${hash} is final` : 'the member lied');
