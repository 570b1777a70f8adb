using System.Text.RegularExpressions;
using Xunit;

namespace McpSm.Core.Tests;

public sealed partial class HouseTests
{
    // Top first. A folder uses those after it, and none before it.
    private static readonly string[] Order =
        ["Clients", "Credentials", "Grants", "Vaults", "Probing", "Servers", "Discovery", "Browsing", "Files", "Errors"];

    [Fact]
    public void No_folder_of_Core_uses_one_above_it()
    {
        var core = Path.Combine(Root(), "src", "McpSm.Core");
        var wrong = from file in Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories)
                    let folder = Path.GetFileName(Path.GetDirectoryName(file))!
                    where Order.Contains(folder)
                    from Match use in Using().Matches(File.ReadAllText(file))
                    let used = use.Groups[1].Value
                    where Array.IndexOf(Order, used) < Array.IndexOf(Order, folder)
                    select $"{folder}/{Path.GetFileName(file)} uses {used}";
        Assert.Empty(wrong);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Mcpsm.slnx")))
        {
            folder = folder.Parent;
        }
        return folder.FullName;
    }

    [GeneratedRegex(@"using McpSm\.Core\.(\w+);")]
    private static partial Regex Using();
}
