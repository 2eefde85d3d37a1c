import type { NetworkFile } from '../localNetwork/networkFile.ts';

/** The members that the opening story needs. */
export const STORY_CAST: readonly string[] = ['authority', 'bank', 'farm', 'market'];

/** Tells the opening story on a running network. */
export async function tellOpeningStory(network: NetworkFile, say: (line: string) => void): Promise<void> {
  say(`Chain ${network.chainId} begins.`);
}
