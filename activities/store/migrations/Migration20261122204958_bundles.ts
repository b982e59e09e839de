import { Migration } from '@mikro-orm/migrations';

export class Migration20261122204958_bundles extends Migration {

  override name = 'Migration20261122204958_bundles';

  override up(): void | Promise<void> {
    this.addSql(`create table "bundles" ("id" uuid not null, "host_id" uuid not null, "service_id" text not null, "image_version" int not null, "compression" text not null, "size_bytes" bigint not null, "sha256" char(64) not null, "expires_at_ms" bigint not null, "created_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`create index "bundles_created_at_index" on "bundles" ("created_at");`);

    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.edit', 'service.refresh', 'service.import', 'service.export', 'service.remove', 'image.verify'));`);

    this.addSql(`alter table "bundles" add constraint "bundles_host_id_foreign" foreign key ("host_id") references "hosts" ("id") on delete cascade;`);
    this.addSql(`alter table "bundles" add constraint "bundles_compression_check" check ("compression" in ('none', 'gzip', 'zstd'));`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.edit', 'service.refresh', 'service.remove', 'image.verify'));`);
  }

}
