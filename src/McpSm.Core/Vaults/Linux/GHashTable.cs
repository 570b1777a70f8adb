using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace McpSm.Core.Vaults.Linux;

[SupportedOSPlatform("linux")]
internal sealed class GHashTable() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibSecret.UnrefHashTable(handle);
        return true;
    }
}
