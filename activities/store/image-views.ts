import type { ImageBody } from '../../workflows/contract/image.ts';
import type { Store } from './store.ts';

interface ImageRow {
  readonly sha256: string;
  readonly kind: ImageBody['kind'];
  readonly size_bytes: string;
  readonly virtual_size_bytes: string | null;
  readonly backing: string | null;
  readonly used_by: ImageBody['usedBy'];
  readonly copies: { readonly hostId: string; readonly verifiedAt: string | null; readonly damage: string | null }[];
  readonly created_at: string;
}

const iso = (text: string): string => new Date(text).toISOString();

/** All images, the latest first. */
export async function listImages(store: Store): Promise<ImageBody[]> {
  const rows = await store.fork().execute<ImageRow[]>(
    `select i.sha256, i.kind, i.size_bytes, i.virtual_size_bytes, b.sha256 as backing, i.created_at,
       (select coalesce(json_agg(json_build_object('serviceId', s.service_id, 'version', si.number) order by s.service_id, si.number), '[]')
        from service_images si join services s on s.id = si.service_id
        where i.id in (si.disk_id, si.saved_disk_id, si.memory_id)) as used_by,
       (select coalesce(json_agg(json_build_object('hostId', l.host_id, 'verifiedAt', l.verified_at, 'damage', l.damage)), '[]')
        from image_locations l where l.image_id = i.id) as copies
     from images i left join images b on b.id = i.backing_id order by i.created_at desc, i.sha256`,
  );
  return rows.map(({ sha256, kind, backing, used_by: usedBy, copies, ...row }) => ({
    sha256,
    kind,
    sizeBytes: Number(row.size_bytes),
    virtualSizeBytes: row.virtual_size_bytes === null ? null : Number(row.virtual_size_bytes),
    backing,
    usedBy,
    copies: copies.map(({ verifiedAt, ...copy }) => ({ ...copy, verifiedAt: verifiedAt === null ? null : iso(verifiedAt) })),
    createdAt: iso(row.created_at),
  }));
}
