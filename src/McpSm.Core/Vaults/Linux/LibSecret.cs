using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

/// <summary>
/// The functions of libsecret and GLib that Mcpsm uses. The libraries are loaded at the first call. A returned handle owns one reference.
/// </summary>
[SupportedOSPlatform("linux")]
internal static partial class LibSecret
{
    private const string Secret = "libsecret-1.so.0";
    private const string Gio = "libgio-2.0.so.0";
    private const string Object = "libgobject-2.0.so.0";
    private const string GLib = "libglib-2.0.so.0";

    public const int SessionBus = 2;
    public const int CreateReplace = 1 << 1;

    [LibraryImport(Secret, EntryPoint = "secret_service_get_type")]
    public static partial nuint ServiceType();

    [LibraryImport(Secret, EntryPoint = "secret_service_open_sync")]
    public static partial GObject OpenService(nuint type, nint busName, int flags, GObject cancellable, out nint error);

    /// <summary>Searches for items without unlocking them.</summary>
    [LibraryImport(Secret, EntryPoint = "secret_service_search_for_dbus_paths_sync")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool Search(GObject service, nint schema, GHashTable attributes, GObject cancellable,
        out nint unlocked, out nint locked, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_item_new_for_dbus_path_sync", StringMarshalling = StringMarshalling.Utf8)]
    public static partial GObject LoadItem(GObject service, string path, int flags, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_collection_for_alias_sync", StringMarshalling = StringMarshalling.Utf8)]
    public static partial GObject CollectionForAlias(GObject service, string alias, int flags, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_collection_get_locked")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CollectionIsLocked(GObject collection);

    [LibraryImport(Secret, EntryPoint = "secret_item_create_sync", StringMarshalling = StringMarshalling.Utf8)]
    public static partial GObject CreateItem(GObject collection, nint schema, GHashTable attributes, string label, SecretValue value,
        int flags, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_item_load_secret_sync")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool LoadSecret(GObject item, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_item_get_secret")]
    public static partial SecretValue GetSecret(GObject item);

    [LibraryImport(Secret, EntryPoint = "secret_item_set_secret_sync")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool SetSecret(GObject item, SecretValue value, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_item_delete_sync")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool DeleteItem(GObject item, GObject cancellable, out nint error);

    [LibraryImport(Secret, EntryPoint = "secret_item_get_attributes")]
    public static partial GHashTable GetAttributes(GObject item);

    [LibraryImport(Secret, EntryPoint = "secret_value_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial SecretValue NewValue(ReadOnlySpan<byte> secret, nint length, string contentType);

    [LibraryImport(Secret, EntryPoint = "secret_value_get")]
    public static partial nint ValueBytes(SecretValue value, out nuint length);

    [LibraryImport(Secret, EntryPoint = "secret_value_unref")]
    public static partial void UnrefValue(nint value);

    [LibraryImport(Gio, EntryPoint = "g_bus_get_sync")]
    public static partial GObject GetBus(int type, GObject cancellable, out nint error);

    [LibraryImport(Gio, EntryPoint = "g_dbus_connection_set_exit_on_close")]
    public static partial void SetExitOnClose(GObject connection, [MarshalAs(UnmanagedType.Bool)] bool exit);

    [LibraryImport(Gio, EntryPoint = "g_cancellable_new")]
    public static partial GObject NewCancellable();

    [LibraryImport(Gio, EntryPoint = "g_cancellable_cancel")]
    public static partial void Cancel(GObject cancellable);

    [LibraryImport(Object, EntryPoint = "g_object_unref")]
    public static partial void Unref(nint instance);

    [LibraryImport(GLib, EntryPoint = "g_hash_table_new_full")]
    public static partial GHashTable NewHashTable(nint hash, nint equal, nint freeKey, nint freeValue);

    [LibraryImport(GLib, EntryPoint = "g_hash_table_insert")]
    public static partial int Insert(GHashTable table, nint key, nint value);

    [LibraryImport(GLib, EntryPoint = "g_hash_table_lookup", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Lookup(GHashTable table, string key);

    [LibraryImport(GLib, EntryPoint = "g_hash_table_unref")]
    public static partial void UnrefHashTable(nint table);

    [LibraryImport(GLib, EntryPoint = "g_strdup", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Duplicate(string text);

    [LibraryImport(GLib, EntryPoint = "g_strfreev")]
    public static partial void FreeTexts(nint texts);

    [LibraryImport(GLib, EntryPoint = "g_quark_to_string")]
    public static partial nint QuarkName(uint quark);

    [LibraryImport(GLib, EntryPoint = "g_error_free")]
    public static partial void FreeError(nint error);

    [LibraryImport(GLib, EntryPoint = "g_getenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint GetEnvironment(string name);

    [LibraryImport(GLib, EntryPoint = "g_setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironment(string name, string value, [MarshalAs(UnmanagedType.Bool)] bool overwrite);

    [LibraryImport(GLib, EntryPoint = "g_main_context_new")]
    public static partial nint NewMainContext();

    [LibraryImport(GLib, EntryPoint = "g_main_context_push_thread_default")]
    public static partial void PushThreadDefault(nint context);

    [LibraryImport(GLib, EntryPoint = "g_main_context_pop_thread_default")]
    public static partial void PopThreadDefault(nint context);

    [LibraryImport(GLib, EntryPoint = "g_main_context_iteration")]
    public static partial int Iterate(nint context, [MarshalAs(UnmanagedType.Bool)] bool mayBlock);

    [LibraryImport(GLib, EntryPoint = "g_main_context_unref")]
    public static partial void UnrefMainContext(nint context);

    /// <summary>Creates a table of item attributes.</summary>
    public static GHashTable NewAttributes(params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        var glib = NativeLibrary.Load(GLib);
        try
        {
            var free = NativeLibrary.GetExport(glib, "g_free");
            var table = NewHashTable(NativeLibrary.GetExport(glib, "g_str_hash"), NativeLibrary.GetExport(glib, "g_str_equal"), free, free);
            foreach (var (name, value) in attributes)
            {
                _ = Insert(table, Duplicate(name), Duplicate(value));
            }
            return table;
        }
        finally
        {
            // Releases only this reference: the imports above keep the library loaded.
            NativeLibrary.Free(glib);
        }
    }

    /// <summary>Reads the strings of a null-terminated array, then frees the array.</summary>
    public static List<string> TakeTexts(nint array)
    {
        var texts = new List<string>();
        for (var entry = array; array != 0 && Marshal.ReadIntPtr(entry) is var text && text != 0; entry += nint.Size)
        {
            texts.Add(Marshal.PtrToStringUTF8(text)!);
        }
        FreeTexts(array);
        return texts;
    }
}
