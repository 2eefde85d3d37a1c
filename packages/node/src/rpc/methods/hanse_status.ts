import { defineMethod } from '../method.ts';

export const hanse_status = defineMethod({
  name: 'hanse_status',
  summary:
    'How this member is: who it is, what runs, where it stands. For people and for `hanse status`; heights here are plain numbers.',
  parameters: [],
  result:
    '`name`, `version`, `network`, `chainId`, `suite`, `genesisHash`, `cryptography` (implementations in use), `height`, `blockHash`, `epoch`, `view`, `validators` (names in their order), `voting` (`voting`, `observer`, or why it does not vote: `waiting`, `amnesia`, `recovery`, `stopped`), `recoveryPending` (the block of a recovery that it signed and that is not in force here, or null), `membership` (`active`, `removed`, or `none`: not admitted, as far as is known here), `voteKey` (that signs its votes, or null), `voteKeys` (all in its folder), `transportKey`, `openProposals` (how many), `missingRule` (the first scheduled rule that this program lacks, or null), `peers` (`name`, `endpoint`, `connected`), `pendingTransactions`, `syncing`, `healthy`, `signedAsFinal` (`height` and `blockHash` of blocks that it signed as final and does not know to be final)',
  example: [],
  handler: ({ node, network, blocks }) => {
    const height = blocks.headHeight();
    const keys = node.keys();
    return {
      name: node.name,
      version: node.version,
      network: network.name,
      chainId: Number(network.chainId),
      suite: network.suite,
      genesisHash: network.genesisHash,
      cryptography: node.cryptography,
      height,
      blockHash: blocks.head(height)?.hash ?? null,
      epoch: node.epoch(),
      view: node.view(),
      validators: node.validators(),
      voting: node.voting(),
      recoveryPending: node.recoveryPending() ?? null,
      membership: node.membership(),
      voteKey: keys.voteKey ?? null,
      voteKeys: keys.voteKeys,
      transportKey: keys.transportKey,
      openProposals: node.openProposals(),
      missingRule: node.missingRule() ?? null,
      peers: node.peers(),
      pendingTransactions: node.pendingTransactions(),
      syncing: node.syncing() ?? false,
      healthy: node.health().healthy,
      signedAsFinal: node.signedAsFinal(),
    };
  },
});
