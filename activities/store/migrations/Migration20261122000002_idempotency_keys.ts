import { Migration } from '@mikro-orm/migrations';

/** Every request may carry a key, those that join what runs already and begin no operation, too. */
export class Migration20261122000002_idempotency_keys extends Migration {
  override name = 'Migration20261122000002_idempotency_keys';

  override up(): void {
    this.addSql(`create table "idempotency_keys" ("principal" text not null, "key" text not null, "request_hash" char(64) not null, "answer" jsonb not null, "created_at" timestamptz not null, primary key ("principal", "key"));`);
    this.addSql(`create index "idempotency_keys_created_at_index" on "idempotency_keys" ("created_at");`);

    this.addSql(`alter table "operations" drop constraint "operations_principal_idempotency_key_unique";`);
    this.addSql(`alter table "operations" drop column "idempotency_key", drop column "request_hash";`);
  }
}
