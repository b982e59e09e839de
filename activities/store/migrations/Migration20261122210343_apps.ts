import { Migration } from '@mikro-orm/migrations';

export class Migration20261122210343_apps extends Migration {

  override name = 'Migration20261122210343_apps';

  override up(): void | Promise<void> {
    this.addSql(`create table "apps" ("id" uuid not null, "name" text not null, "description" text not null, "service_id" text null, "tags" jsonb not null, "package_name" text null, "app_version" text null, "version_code" bigint null, "min_android_version" text null, "file_name" text not null, "content_type" text not null, "size_bytes" bigint not null, "sha256" char(64) not null, "md5" char(32) not null, "icon_type" text null, "installed_by" uuid not null, "replaced_install" uuid null, "version" int not null default 1, "created_at" timestamptz not null, "updated_at" timestamptz not null, primary key ("id"));`);
    this.addSql(`alter table "apps" add constraint "apps_name_unique" unique ("name");`);
    this.addSql(`alter table "apps" add constraint "apps_installed_by_unique" unique ("installed_by");`);

    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.edit', 'service.refresh', 'service.import', 'service.export', 'service.remove', 'image.verify', 'app.install'));`);
  }

  override down(): void | Promise<void> {
    this.addSql(`alter table "operations" drop constraint "operations_kind_check";`);
    this.addSql(`alter table "operations" add constraint "operations_kind_check" check ("kind" in ('service-vm.start', 'service-vm.stop', 'service.build', 'service.edit', 'service.refresh', 'service.import', 'service.export', 'service.remove', 'image.verify'));`);
  }

}
