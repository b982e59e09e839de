import { Migration } from '@mikro-orm/migrations';

/** What a verification found out about every copy. */
export class Migration20261122202715_image_verification extends Migration {
  override name = 'Migration20261122202715_image_verification';

  override up(): void {
    this.addSql(`alter table "image_locations" add "verified_at" timestamptz null, add "damage" text null;`);
  }
}
