import { Migration } from '@mikro-orm/migrations';

export class Migration20261122195758_uploads extends Migration {

  override name = 'Migration20261122195758_uploads';

  override up(): void | Promise<void> {
    this.addSql(`create table "uploads" ("id" uuid not null, "file_name" text not null, "size_bytes" bigint not null, "metadata" jsonb not null, "declared_sha256" char(64) null, "sha256" char(64) null, "operation_id" uuid null, "touched_at_ms" bigint not null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`create index "uploads_created_at_index" on "uploads" ("created_at");`);
    this.addSql(`create index "uploads_operation_id_index" on "uploads" ("operation_id");`);
  }

}
