import { z } from 'zod';

/** Query of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Most items on a page' }),
  cursor: z.string().min(1).max(1024).optional().meta({ description: '`nextCursor` of the page before' }),
});

/** One page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().optional().meta({ description: 'Opaque; absent on the last page' }),
  });
}

export const NoQuery = z.strictObject({});

/** ISO 8601, UTC. */
export const Timestamp = z.iso.datetime();

export const Version = z.int().min(1).meta({ description: 'Grows with each change; also the ETag' });
