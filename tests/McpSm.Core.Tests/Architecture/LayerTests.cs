using System.Reflection;
using System.Xml.Linq;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Holds the order of the folders of Core, and of the projects, that docs/architecture.md describes.</summary>
public sealed class LayerTests : IDisposable
{
    private const string Root = "McpSm.Core";

    private static readonly Assembly Core = typeof(Authenticator).Assembly;

    // Highest first. A folder uses only the folders after it. Above all is the root folder.
    private static readonly string[] Order =
        ["Management", "HttpAuthentication", "SignIn", "Registration", "Status", "Credentials", "Entra", "Interaction", "Grants", "Probing",
            "Vaults", "Servers", "Discovery", "Http", "Browsing", "Processes", "Configuration", "Network", "Interruption", "Files", "Errors"];

    private static readonly string[] ClientsOrder = ["Management", "Entries", "Catalog", "Undo", "Files", "Editing"];

    private static readonly string[] SampleOrder = ["Upper", "Lower", "UpperButOther", "Base"];

    // Users and Mcpsm.format.ps1xml name these types without the folder.
    private static readonly Dictionary<string, string> FoldersInRootNamespace = new()
    {
        ["AuthenticatingHandler"] = "HttpAuthentication",
        ["AuthState"] = "Status",
        ["IAuthInteraction"] = "Interaction",
        ["McpAuthStatus"] = "Status",
        ["McpIdentityProvider"] = "Management",
        ["McpImport"] = "Management",
        ["McpTestResult"] = "Management",
        ["PlaintextKind"] = "Management",
        ["PlaintextSecret"] = "Management",
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mcpsm-layers-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Core_folder_uses_only_folders_below_it()
    {
        // The public constructor: a program has an Authenticator, and nothing else that the handler needs.
        var layers = new Layers(Root, Order, FoldersInRootNamespace) { Allowed = ("McpSm.Core.AuthenticatingHandler", "McpSm.Core.Authenticator") };
        var violations = layers.FindViolations(Core.Location);
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [Fact]
    public void Clients_folder_uses_only_folders_below_it()
    {
        var violations = new Layers("McpSm.Clients", ClientsOrder, []).FindViolations(Assembly.Load("McpSm.Clients").Location);
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [Fact]
    public void Namespace_of_a_Core_type_is_its_folder()
    {
        var folder = Path.Combine(Repository.Root, "src", Root);
        var types = Core.GetTypes()
            .Where(type => !type.IsNested && type.Namespace?.StartsWith(Root, StringComparison.Ordinal) == true && !type.Name.Contains('<')).ToList();
        Assert.True(types.Count > 200);
        Assert.All(types, type =>
        {
            var path = type.Namespace == Root ? FoldersInRootNamespace.GetValueOrDefault(type.Name, "")
                : type.Namespace![(Root.Length + 1)..].Replace('.', '/');
            Assert.True(File.Exists(Path.Combine(folder, path, type.Name.Split('`')[0] + ".cs")), type.FullName);
        });
        Assert.All(FoldersInRootNamespace.Keys, name => Assert.Contains(types, type => type.FullName == $"{Root}.{name}"));
    }

    [Fact]
    public void Page_about_the_architecture_lists_the_folders_in_order()
    {
        var page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "architecture.md"));
        var listed = page.SkipWhile(line => line != "| folder | contains |").Skip(2).TakeWhile(line => line.StartsWith('|')).Select(line => line.Split('`')[1]);
        Assert.Equal(Order, listed);
        var folders = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src", Root))
            .Select(folder => Path.GetFileName(folder)).Except(["bin", "obj"]);
        Assert.Equal(Order.Order(), folders.Order());
    }

    [Theory]
    [InlineData("McpSm.Core")]
    [InlineData("McpSm.Relay", "McpSm.Core")]
    [InlineData("McpSm.HttpProxy", "McpSm.Core", "McpSm.Relay")]
    [InlineData("McpSm.Clients", "McpSm.Core")]
    [InlineData("McpSm.Commands", "McpSm.Core", "McpSm.Relay", "McpSm.Clients")]
    [InlineData("McpSm.PowerShell", "McpSm.Core", "McpSm.Commands", "McpSm.Clients")]
    [InlineData("McpSm.Cli", "McpSm.Core", "McpSm.Commands", "McpSm.HttpProxy")]
    [InlineData("McpSm.Loader")]
    [InlineData("McpSm.Help")]
    public void Project_references_only_projects_below_it(string project, params string[] below)
    {
        var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));
        var referenced = file.Descendants("ProjectReference").Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!));
        Assert.Empty(referenced.Except(below));
    }

    [Fact]
    public void Every_project_is_in_the_order()
    {
        var listed = typeof(LayerTests).GetMethod(nameof(Project_references_only_projects_below_it))!.GetCustomAttributes<InlineDataAttribute>()
            .Select(data => (string)data.Data[0]!);
        var projects = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.Equal(projects.Select(project => Path.GetFileNameWithoutExtension(project)).Order(), listed.Order());
    }

    [Theory]
    [InlineData("McpSm.Core")]
    [InlineData("McpSm.Relay", "McpSm.Core")]
    [InlineData("McpSm.Clients", "McpSm.Core")]
    [InlineData("McpSm.Commands", "McpSm.Core", "McpSm.Relay", "McpSm.Clients")]
    public void Assembly_references_only_assemblies_below_it(string assembly, params string[] below)
    {
        var referenced = Assembly.Load(assembly).GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.Contains("System.Runtime", referenced);
        Assert.Empty(referenced.Where(name => name.StartsWith("McpSm", StringComparison.OrdinalIgnoreCase)).Except(below));
        Assert.DoesNotContain("System.Management.Automation", referenced);
    }

    [Theory]
    [InlineData("using Sample.Upper; class C { Thing? _thing; }")]
    [InlineData("class C { Sample.Upper.Thing? _thing; }")]
    [InlineData("class C { Upper.Thing? _thing; }")]
    [InlineData("class C { object M() => new Upper.Deeper.Thing(); }")]
    [InlineData("class C { class Nested { void M(Upper.Thing thing) { } } }")]
    [InlineData("class C { System.Collections.Generic.List<Upper.Thing>? M() => null; }")]
    [InlineData("class C { void M() => System.Console.WriteLine(Upper.Thing.Text()); }")]
    [InlineData("class C { async System.Threading.Tasks.Task M() { await System.Threading.Tasks.Task.Yield(); Upper.Thing.Text(); } }")]
    [InlineData("class C { System.Func<string> M() => () => Upper.Thing.Text(); }")]
    [InlineData("class C { System.Collections.Generic.IEnumerable<object> M() { yield return typeof(Upper.Thing); } }")]
    [InlineData("class C { bool M(object o) => o is Upper.Thing; }")]
    [InlineData("class C : Upper.Thing;")]
    [InlineData("[Upper.Mark] class C;")]
    [InlineData("class C<T> where T : Upper.Thing;")]
    [InlineData("class C { Sample.Exception1? _inRootNamespace; }")]
    [InlineData("class C { Sample.Top? _root; }")]
    public void Use_of_a_higher_layer_is_found(string code)
    {
        Assert.Contains(FindInSample(code), violation => violation.StartsWith("Sample.Lower.C", StringComparison.Ordinal));
    }

    [Fact]
    public void Allowed_use_hides_no_other_use()
    {
        var layers = new Layers("Sample", SampleOrder, []) { Allowed = ("Sample.Lower.C", "Sample.Top") };
        Assert.Empty(layers.FindViolations(LayeredSample.Compile(_folder, "class C { Top? _root; }")));
        Assert.NotEmpty(layers.FindViolations(LayeredSample.Compile(_folder, "class C { Top? _root; Upper.Thing? _thing; }")));
        Assert.NotEmpty(layers.FindViolations(LayeredSample.Compile(_folder, "class C; class Other { Top? _root; }")));
    }

    [Theory]
    [InlineData("class C { UpperButOther.Thing? _thing; Base.Thing? _base; }")]
    [InlineData("class C { string _text = \"Sample.Upper.Thing\"; }")]
    public void Use_of_a_lower_layer_is_not_a_violation(string code) => Assert.Empty(FindInSample(code));

    [Fact]
    public void Folder_outside_the_order_is_a_violation()
    {
        var layers = new Layers("Sample", ["Upper", "Lower", "UpperButOther"], []);
        Assert.Contains("Sample.Base.Thing is in a folder that is not in the order", layers.FindViolations(LayeredSample.Compile(_folder, "class C;")));
    }

    private IReadOnlyList<string> FindInSample(string code) =>
        new Layers("Sample", SampleOrder, new() { ["Exception1"] = "Upper" }).FindViolations(LayeredSample.Compile(_folder, code));
}
