import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { commitment } from '@hanse/modules/abi';
import { bytesToHex, portablePrimitives, utf8ToBytes } from '@hanse/protocol';
import { createHanseClient } from '@hanse/sdk';

const network = JSON.parse(readFileSync(`${process.env.HANSE_DATA ?? '.hanse'}/network.json`, 'utf8'));
const account = (name) => network.accounts.find((candidate) => candidate.name === name);
const farm = await createHanseClient({ rpcUrl: network.members[2].rpcUrl, account: account('farm').privateKey });

// The document and its salt stay with the farm; the chain gets H(salt || hash of the document).
const document = utf8ToBytes('Lot 42: 300 kg of shrimp, harvested on 3 May');
const salt = new Uint8Array(randomBytes(32));
const hash = portablePrimitives.keccak256;
const anchored = bytesToHex(commitment(hash, salt, hash(document)));
await (await farm.anchors.anchor([anchored])).final();

// The market got document and salt from the farm, computes the same and asks its own member.
const market = await createHanseClient({ rpcUrl: network.members[3].rpcUrl });
const record = await market.anchors.find(bytesToHex(commitment(hash, salt, hash(document))));
console.log(
  `anchored by ${record.account === account('farm').address ? 'farm' : 'somebody else'} in block ${record.height}`,
);
