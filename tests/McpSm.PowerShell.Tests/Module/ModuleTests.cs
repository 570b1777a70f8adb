using System.Management.Automation;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Module;

[Collection(SerialCollection.Name)]
public sealed class ModuleTests
{
    [Fact]
    public void Exports_are_exactly_those_of_the_manifest()
    {
        using var session = new ModuleSession();
        var manifest = session.Run("Test-ModuleManifest $args[0]", ModuleSession.Module)[0];
        var declared = ((IDictionary<string, CmdletInfo>)manifest.Properties["ExportedCmdlets"].Value).Keys.Order();
        Assert.Equal(declared, session.Run("(Get-Module Mcpsm).ExportedCmdlets.Keys").Select(o => o.ToString()).Order());
        Assert.Equal("Invoke-Mcpsm", session.Text("(Get-Module Mcpsm).ExportedFunctions.Keys"));
        Assert.Equal("mcpsm", session.Text("(Get-Module Mcpsm).ExportedAliases.Keys"));
    }

    [Fact]
    public void Module_works_after_a_second_import_and_after_removal()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api https://a.example/mcp");
        Assert.Equal("my-api", session.Text("Import-Module $args[0] -Force; (Get-McpServer).Name", ModuleSession.Module));
        Assert.Equal("my-api", session.Text("Remove-Module Mcpsm; Import-Module $args[0]; (Get-McpServer my*).Name", ModuleSession.Module));
        Assert.Equal("my-api", session.Text("(mcpsm list --json | Where-Object { $_ -match '\"name\"' }) -replace '.*: \"|\",',''"));
    }

    [Fact]
    public void Command_on_the_module_path_imports_the_module()
    {
        using var session = new ModuleSession();
        var folder = Path.GetDirectoryName(ModuleSession.Module)!;
        session.Run("Remove-Module Mcpsm; $env:PSModulePath = $args[0]", Path.GetFullPath(Path.Combine(folder, "..", "..")));
        Assert.Equal("[]", session.Text("mcpsm auth status --json"));
        Assert.Equal(folder, session.Text("(Get-Module Mcpsm).ModuleBase"));
    }

    [Fact]
    public void Module_version_equals_its_folder_and_its_command()
    {
        using var session = new ModuleSession();
        var version = session.Text("(Get-Module Mcpsm).Version");
        Assert.Equal(Path.GetFileName(Path.GetDirectoryName(ModuleSession.Module)), version);
        var prerelease = session.Text("(Get-Module Mcpsm).PrivateData.PSData.Prerelease");
        Assert.Equal(prerelease == "" ? version : $"{version}-{prerelease}", session.Text("mcpsm --version"));
    }

    /// <summary>The module must not depend on assemblies of the session: docs/adr/0004-module-load-context.md.</summary>
    [Fact]
    public void Cmdlets_reference_only_the_engine_the_framework_and_Mcpsm()
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(Path.GetDirectoryName(ModuleSession.Module)!, "McpSm.PowerShell.dll")));
        var metadata = file.GetMetadataReader();
        var foreign = metadata.AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))
            .Where(n => n is not ("McpSm.Core" or "McpSm.Commands") && !n.StartsWith("System.", StringComparison.Ordinal));
        Assert.Empty(foreign);
    }

    [Fact]
    public void Dependencies_of_the_cmdlets_load_in_a_separate_context()
    {
        using var session = new ModuleSession();
        session.Run("Get-McpAuthStatus");
        var contexts = AssemblyLoadContext.All.SelectMany(c => c.Assemblies.Select(a => (Context: c.Name, a.GetName().Name))).ToList();
        Assert.Equal("Mcpsm", Assert.Single(contexts, c => c.Name == "McpSm.Core").Context);
        Assert.DoesNotContain(contexts, c => c.Name is "Duende.IdentityModel" && c.Context != "Mcpsm");
    }
}
