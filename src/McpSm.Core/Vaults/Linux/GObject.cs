using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

/// <summary>A reference to a GLib object.</summary>
[SupportedOSPlatform("linux")]
internal sealed class GObject() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibSecret.Unref(handle);
        return true;
    }
}
